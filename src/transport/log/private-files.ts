import { chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The data folder holds pictures of people, camera addresses and hashes of tokens: only its owner reads it. */
export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;

/** Entries that Presage writes into a data folder. */
const OWN_ENTRIES =
  /^(messages\.(db|lock)(-wal|-shm|-journal)?|streams\.json(\.partial)?|tokens|evidence|clips|.*dead.*)$/;

/**
 * Creates a data folder and its database files for their owner only, and narrows those that an earlier version created
 * wider. SQLite gives its -wal and -shm files the mode of the database. A folder that also holds other things, such as
 * `--data .`, keeps its mode.
 *
 * @param files names of database files; those without a suffix of SQLite are created empty where missing
 * @throws the system's error when the folder cannot be created or a file cannot be opened
 */
export function makePrivate(folder: string, files: readonly string[]): void {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (readdirSync(folder).every((name) => OWN_ENTRIES.test(name))) narrow(folder, PRIVATE_FOLDER);
  for (const name of files) {
    const path = join(folder, name);
    if (!existsSync(path)) {
      if (/-(wal|shm)$/.test(name)) continue;
      closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, PRIVATE_FILE));
    }
    narrow(path, PRIVATE_FILE);
  }
}

/** The owner of a file may be another user that lets this one write; then its mode is the owner's decision. */
function narrow(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EROFS' && code !== 'ENOTSUP') throw error;
  }
}
