import type { Draft } from '../../core/messages.js';
import type { CommandContext } from '../command-context.js';
import { loadPlaces } from '../options/settings.js';
import { serviceOptions } from '../options/service-options.js';
import { TerminalAccount } from '../terminal/account.js';
import { sampleVideo } from '../../service/version.js';
import { redact } from '../../core/text/redact.js';

const SAMPLE = 'its sample recording (give a source to watch that instead)';

/** `presage watch [source]`: analyses one stream in real time, prints it to the terminal and serves it to clients. */
export async function watch({ settings, signal }: CommandContext, source: string | undefined): Promise<void> {
  const account = new TerminalAccount(process.stdout);
  const plan = {
    id: settings.id,
    source: source ?? sampleVideo,
    places: loadPlaces(settings.places),
    loop: settings.loop,
    origin: 'command' as const,
    sink: { add: (draft: Draft) => account.show(draft) },
  };
  const onStep = (step: string): void => void process.stdout.write(`  ${step} ...\n`);
  process.stdout.write(`presage watches ${source === undefined ? SAMPLE : redact(source)}\n`);
  onStep('loading the server and the model runtime');
  // Imported here: loading it takes a second, in which the lines above are already visible.
  const { Service } = await import('../../service/service.js');
  await using service = await Service.open({ ...serviceOptions(settings), onStep }, [plan], signal);
  const { model, device, workers } = service.models.perception.info;
  const { notice } = service.ffmpeg;
  const url = service.url ?? '';
  process.stdout.write(
    [
      `  ${model} on ${device}, ${workers} ${workers === 1 ? 'thread' : 'threads'}`,
      ...(notice === undefined ? [] : [`  note      ${notice}`]),
      `  page      ${url}/`,
      `  messages  ${url.replace(/^http/, 'ws')}/v1/streams/${plan.id}/events?from=oldest`,
      `  Ctrl-C stops${settings.loop ? '' : '; --loop plays a file again and again'}`,
      '',
      '',
    ].join('\n'),
  );
  signal.throwIfAborted();
  signal.addEventListener('abort', () => void service.close(), { once: true });
  const [failure] = await service.run();
  if (failure) throw failure;
}
