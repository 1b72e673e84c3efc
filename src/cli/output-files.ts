import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PresageError } from '../core/errors.js';

/** Error codes of a missing folder and of a file in its place. */
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR']);

/**
 * Checks before a long analysis that its outputs can be written at its end: into existing folders, and neither
 * over the recording nor over one another.
 *
 * @throws PresageError `output_failed`, or `bad_option` where one file would take the place of another
 */
export async function checkOutputFiles(
  files: readonly (string | undefined)[],
  recording: string,
): Promise<void> {
  const taken = new Map([[await identify(recording), 'the recording itself']]);
  for (const file of files) {
    if (file === undefined) continue;
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && !found.isFile() && !found.isDirectory()) continue; // a pipe or device
    await checkFolder(file, found?.isDirectory() ?? false);
    const identity = await identify(file);
    const other = taken.get(identity);
    if (other !== undefined) {
      throw new PresageError('bad_option', `cannot write ${file}: it is ${other}`, {
        hint: 'name another file',
      });
    }
    taken.set(identity, 'another output as well');
  }
}

async function checkFolder(file: string, isFolder: boolean): Promise<void> {
  const folder = dirname(file);
  const found = await stat(folder).catch((cause: unknown) => {
    if (NOT_THERE.has((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new PresageError('output_failed', `cannot write ${file}: ${(cause as Error).message}`, {
      cause,
      hint: 'choose a folder that you may write to',
    });
  });
  if (found?.isDirectory() !== true) {
    throw new PresageError('output_failed', `cannot write ${file}: there is no folder ${folder}`, {
      hint: `mkdir -p ${folder}`,
    });
  }
  if (isFolder) {
    throw new PresageError('output_failed', `cannot write ${file}: it is a folder`, {
      hint: 'name a file in it',
    });
  }
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new PresageError('output_failed', `cannot write ${file}: no permission to write to ${folder}`, {
      cause,
      hint: 'choose a folder that you may write to',
    });
  });
}

/** The path that two names of one file share, links followed; the file need not be there yet. */
async function identify(file: string): Promise<string> {
  return realpath(file).catch(async () =>
    join(await realpath(dirname(file)).catch(() => dirname(file)), basename(file)),
  );
}
