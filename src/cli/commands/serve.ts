import type { CommandContext } from '../command-context.js';
import { Service } from '../../service/service.js';
import { serviceOptions } from '../options/service-options.js';
import { DEFAULT_CONFIG } from '../options/settings.js';
import { aborted } from '../shutdown.js';
import type { StreamPlan } from '../../service/streams/stream-plan.js';

/**
 * `presage serve`: runs the streams of presage.yaml and those created by the API until a signal. A stream that ends or
 * fails does not affect the others.
 */
export async function serve({ settings, streams, configFile, signal }: CommandContext): Promise<void> {
  const plans = streams.map(({ id, source, rtspTransport, zones, lines }): StreamPlan => ({
    id,
    source,
    rtspTransport,
    places: { zones, lines },
    origin: 'config',
  }));
  await using service = await Service.open({ ...serviceOptions(settings), keepStreams: true }, plans, signal);
  const url = service.url ?? '';
  const ids = service.streamIds;
  process.stdout.write(`presage serves ${ids.length === 0 ? 'no stream yet' : ids.join(', ')} at ${url}/\n`);
  if (ids.length === 0) process.stdout.write(howToAdd(configFile, url));
  if (service.ffmpeg.notice !== undefined) process.stdout.write(`note: ${service.ffmpeg.notice}\n`);
  signal.throwIfAborted();
  signal.addEventListener('abort', () => void service.close(), { once: true });
  await service.run();
  if (!signal.aborted && ids.length > 0)
    process.stdout.write('every stream has ended; the log is still served (Ctrl-C stops)\n');
  await aborted(signal);
}

function howToAdd(configFile: string | undefined, url: string): string {
  return [
    'add one while it runs:',
    `  curl ${url}/v1/streams -H 'content-type: application/json' -d '{"id": "cam1", "source": "rtsp://user:password@camera/stream"}'`,
    `or list it in ${configFile ?? DEFAULT_CONFIG}:`,
    '  streams:',
    '    - {id: cam1, source: "rtsp://user:password@camera/stream"}',
    '',
  ].join('\n');
}
