import { PresageError } from '../core/errors.js';

/** A second signal, or this long after the first one, ends the process at once, ms. */
const GRACE_MS = 10_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Reaction of an action to SIGTERM. */
export interface ShutdownOptions {
  /**
   * SIGTERM is the regular way to end the action, as it is for a service under systemd or a container runtime: a clean
   * close is then a success. Default: false, the action is interrupted before it is complete.
   */
  readonly endsBySigterm?: boolean;
}

/**
 * Runs an action that stops when its signal aborts: on the first SIGINT, SIGTERM or SIGHUP, or when the reader of the
 * output has closed it (`| head`). The action then closes what it opened; a second signal or GRACE_MS ends the process at
 * once, as an unhandled SIGINT does (130 in a shell).
 *
 * @throws PresageError `interrupted` when the action was stopped early, what the action throws when its close fails
 * after a SIGTERM that ends it, and else what the action throws
 */
export async function withShutdown(
  action: (signal: AbortSignal) => Promise<void>,
  { endsBySigterm = false }: ShutdownOptions = {},
): Promise<void> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = { bySigterm: false };
  const stop = (): void => {
    if (controller.signal.aborted) return;
    controller.abort();
    timer = setTimeout(endAtOnce, GRACE_MS);
    timer.unref();
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) endAtOnce();
    end.bySigterm = endsBySigterm && name === 'SIGTERM';
    stop();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  // Stays after the action: a later write may fail, too. The handler runs for each failed write.
  for (const output of [process.stdout, process.stderr]) output.on('error', stop);
  try {
    await action(controller.signal);
    if (controller.signal.aborted && !end.bySigterm) throw new PresageError('interrupted', 'interrupted');
  } catch (error) {
    if (end.bySigterm && (error === controller.signal.reason || isInterruption(error))) return;
    if (end.bySigterm) throw error;
    if (controller.signal.aborted) throw new PresageError('interrupted', 'interrupted', { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof PresageError && error.code === 'interrupted';
}

/** Not by `process.exit`: it would take the threads down in the middle of an inference, which aborts with a core dump. */
function endAtOnce(): void {
  process.emit('exit', 130); // ends the ffmpeg children
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
