import { PresageError } from '../../core/errors.js';
import type { CommandContext } from '../command-context.js';
import { Service } from '../service.js';
import { DEFAULT_CONFIG } from '../settings.js';
import { aborted } from '../shutdown.js';

/** `presage serve`: every stream of presage.yaml, until a signal. A stream that ends or fails leaves the others running. */
export async function serve({ settings, streams, configFile, signal }: CommandContext): Promise<void> {
  if (streams.length === 0) {
    throw new PresageError(
      'bad_config',
      configFile === undefined ? `there is no ${DEFAULT_CONFIG} here` : `${configFile} lists no streams`,
      {
        hint: 'write one:\n    streams:\n      - id: cam1\n        source: rtsp://user:password@camera/stream',
      },
    );
  }
  const plans = streams.map(({ id, source, rtspTransport, zones, lines }) => ({
    id,
    source,
    rtspTransport,
    places: { zones, lines },
  }));
  await using service = await Service.open(settings, plans, signal);
  process.stdout.write(`presage serves ${streams.map(({ id }) => id).join(', ')} at ${service.url}/\n`);
  if (service.ffmpeg.notice !== undefined) process.stdout.write(`note: ${service.ffmpeg.notice}\n`);
  signal.throwIfAborted();
  signal.addEventListener('abort', () => void service.close(), { once: true });
  await service.run();
  if (!signal.aborted)
    process.stdout.write('every stream has ended; the log is still served (Ctrl-C stops)\n');
  await aborted(signal);
}
