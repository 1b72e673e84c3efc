import { SingleBar } from 'cli-progress';
import { PresageError } from '../../core/errors.js';
import {
  listModels as list,
  pullModels as pull,
  verifyModels as verify,
  type ModelStatus,
} from '../../model/runtime/model-store.js';
import type { CommandContext } from '../command-context.js';
import { modelsFolder } from '../../service/version.js';

/** `presage models list`: one line per model, from the manifest. */
export async function listModels({ settings }: CommandContext): Promise<void> {
  printStatuses(await list(settings.models ?? modelsFolder));
}

/** `presage models verify`: a pack that was never pulled is not missing. @throws PresageError `model_missing` or `model_hash_mismatch` when any file is wrong. */
export async function verifyModels({ settings }: CommandContext): Promise<void> {
  const statuses = await verify(settings.models ?? modelsFolder);
  printStatuses(statuses);
  const wrong = statuses.filter(({ entry, state }) => !isFine(entry, state));
  if (wrong.length === 0) return;
  const code = wrong.some(({ state }) => state === 'mismatch') ? 'model_hash_mismatch' : 'model_missing';
  throw new PresageError(code, `${wrong.length} of ${statuses.length} model files differ from the manifest`, {
    hint: 'run: presage models pull',
  });
}

/** `presage models pull [name]`: downloads what is missing or wrong, with a progress bar on a terminal. */
export async function pullModels({ settings, signal }: CommandContext, name?: string): Promise<void> {
  const modelsDir = settings.models ?? modelsFolder;
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{name} [{bar}] {percentage} %  {value}/{total} bytes', hideCursor: true })
    : undefined;
  let started = false;
  try {
    const fetched = await pull({
      modelsDir,
      signal,
      ...(name === undefined ? {} : { name }),
      ...(settings.mirror === undefined ? {} : { mirror: settings.mirror }),
      onProgress: (progress) => {
        if (!started) bar?.start(progress.totalBytes, 0, { name: progress.name });
        started = true;
        bar?.update(progress.receivedBytes, { name: progress.name });
      },
    });
    bar?.stop();
    process.stdout.write(
      fetched.length === 0 ? 'every model file is here and verified\n' : `fetched ${fetched.join(', ')}\n`,
    );
  } finally {
    bar?.stop();
  }
}

function isFine({ pack }: ModelStatus['entry'], state: ModelStatus['state']): boolean {
  return state === 'verified' || (state === 'missing' && pack !== undefined);
}

function printStatuses(statuses: readonly ModelStatus[]): void {
  for (const { entry, state, error } of statuses) {
    const size = `${(entry.bytes / 1e6).toFixed(1)} MB`;
    const shown = state === 'missing' && entry.pack !== undefined ? 'optional' : state;
    process.stdout.write(
      `${entry.name.padEnd(18)} ${shown.padEnd(9)} ${size.padStart(9)}  ${entry.license}  ${entry.file}\n`,
    );
    if (shown === 'optional')
      process.stdout.write(`${' '.repeat(19)}presage models pull ${entry.pack ?? ''}\n`);
    else if (error) process.stdout.write(`${' '.repeat(19)}${error.message}\n`);
  }
}
