import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type Libsql from 'libsql';
import { PresageError, toPresageError } from '../../core/errors.js';
import { MIGRATIONS } from './log-schema.js';
import { makePrivate } from './private-files.js';

/** How long opening waits for another process that is just ending, ms. */
const LOCK_WAIT_MS = 1000;
const BUSY_WAIT_MS = 20;
const LOG_FILE = 'messages.db';
const LOCK_FILE = 'messages.lock';
/** Value of `auto_vacuum`. */
const INCREMENTAL = 2;

/** The open database of a data folder and the lock that keeps a second process from numbering the same streams. */
export interface LogDatabase {
  readonly path: string;
  readonly db: Libsql.Database;
  /** Idempotent. */
  close(): void;
}

/** Opens (creating where needed) and migrates. Rejects with `storage_failed`. */
export async function openLogDatabase(folder: string): Promise<LogDatabase> {
  const path = join(folder, LOG_FILE);
  const Database = await loadLibsql();
  return guardStorage(path, () => {
    makePrivate(folder, [LOG_FILE, `${LOG_FILE}-wal`, `${LOG_FILE}-shm`, LOCK_FILE]);
    const lock = acquireLock(Database, join(folder, LOCK_FILE), folder);
    try {
      const db = new Database(path, { timeout: LOCK_WAIT_MS });
      // FULL: a commit survives power loss. Nothing is sent before its commit, so no sequence is ever given twice.
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      migrate(db, path);
      // From here on nobody else should write; should someone, the event loop does not wait for it.
      db.pragma(`busy_timeout = ${BUSY_WAIT_MS}`);
      return { path, db, close: once(() => closeDatabase(db, lock)) };
    } catch (error) {
      release(lock);
      throw error;
    }
  });
}

/** Opens a log for reading only, beside the process that may be writing it. Rejects with `storage_failed`. */
export async function openForReading(folder: string): Promise<LogDatabase> {
  const path = join(folder, LOG_FILE);
  if (!existsSync(path)) {
    throw new PresageError(
      'storage_failed',
      `${folder} is not a data folder of Presage: there is no ${path}`,
      {
        hint: 'Name the folder that was given to watch or serve with --data.',
      },
    );
  }
  const Database = await loadLibsql();
  return guardStorage(path, () => {
    const db = new Database(path, { timeout: LOCK_WAIT_MS });
    try {
      db.pragma('query_only = ON');
      const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
      if (version !== MIGRATIONS.length) {
        throw new PresageError(
          'storage_failed',
          `${path} is of format ${version}, not ${MIGRATIONS.length}`,
          {
            hint: 'Start watch or serve on it once with this version of Presage.',
          },
        );
      }
      return { path, db, close: once(() => db.close()) };
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Runs a storage action; whatever it throws becomes `storage_failed` with a hint. */
export function guardStorage<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    throw storageError(path, thrown);
  }
}

function storageError(path: string, thrown: unknown): PresageError {
  if (thrown instanceof PresageError) return thrown;
  const cause = toPresageError(thrown);
  const code = codeOf(thrown);
  const hint = HINTS.find(([pattern]) => pattern.test(code))?.[1](path);
  return new PresageError('storage_failed', `The durable log ${path} failed: ${cause.message}`, {
    cause: thrown,
    retryable: /FULL|BUSY|IOERR/.test(code),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The file can be read but does not make sense. */
export function damagedLog(path: string, what: string): PresageError {
  return new PresageError('storage_failed', `${path} is damaged: ${what}`, { hint: startAfresh(path) });
}

const startAfresh = (path: string): string =>
  `Move ${path} away (and its -wal and -shm); a new log is begun without it.`;
const writable = (path: string): string =>
  `Make ${path} and its folder writable, or choose another data folder with --data.`;
const HINTS: readonly (readonly [RegExp, (path: string) => string])[] = [
  [/NOTADB|CORRUPT/, startAfresh],
  [/FULL|ENOSPC/, () => 'Free some disk space, or choose another data folder with --data.'],
  [/READONLY|CANTOPEN|EACCES|EPERM|EROFS|ENOTDIR|EEXIST|PERM/, writable],
  [/BUSY|LOCKED/, () => 'Stop the other program that uses this data folder, or choose another with --data.'],
];

/** Primary result codes of SQLite; the upper bits of a code say more than is needed here. */
const PRIMARY_CODES: Readonly<Record<number, string>> = {
  5: 'BUSY',
  6: 'LOCKED',
  8: 'READONLY',
  10: 'IOERR',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  26: 'NOTADB',
};

/** A word for what went wrong: SQLite's or, for the data folder, the system's. Empty when there is none. */
function codeOf(thrown: unknown): string {
  const { rawCode, code, message } = thrown as { rawCode?: unknown; code?: unknown; message?: unknown };
  // When opening fails libsql gives no code, only SQLite's number at the end of the text.
  const number = typeof rawCode === 'number' ? rawCode : Number(/: (\d+)"?\)?$/.exec(String(message))?.[1]);
  return PRIMARY_CODES[number & 0xff] ?? (typeof code === 'string' ? code : '');
}

async function loadLibsql(): Promise<typeof Libsql> {
  try {
    return (await import('libsql')).default;
  } catch (cause) {
    throw new PresageError('storage_failed', 'The native module of libsql cannot be loaded', {
      cause,
      hint: 'Run npm install again on this machine: libsql brings a binary for each platform.',
    });
  }
}

/**
 * An exclusive transaction on a file of its own, held while the log is open. The system lets go of it when the process
 * dies, and other programs can still read the log itself.
 */
function acquireLock(Database: typeof Libsql, path: string, folder: string): Libsql.Database {
  const lock = new Database(path, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (thrown) {
    lock.close();
    if (codeOf(thrown) !== 'BUSY') throw thrown;
    throw new PresageError('storage_failed', `Another Presage uses the data folder ${folder}`, {
      cause: thrown,
      retryable: true,
      hint: 'Stop it first, or choose another data folder with --data.',
    });
  }
}

function migrate(db: Libsql.Database, path: string): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length) {
    throw new PresageError('storage_failed', `${path} was written by a newer Presage (format ${version})`, {
      hint: `Update Presage, or choose another data folder with --data.`,
    });
  }
  // What retention deletes is given back to the file system; for a file made without it this takes a rewrite.
  const { auto_vacuum: vacuum } = db.prepare('PRAGMA auto_vacuum').get() as { auto_vacuum: number };
  if (vacuum !== INCREMENTAL) db.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index >= version) db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

function closeDatabase(db: Libsql.Database, lock: Libsql.Database): void {
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
    release(lock);
  }
}

/** libsql keeps a closed connection alive until its statements are collected; the rollback frees the lock at once. */
function release(lock: Libsql.Database): void {
  if (lock.inTransaction) lock.exec('ROLLBACK');
  lock.close();
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
