import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type Libsql from 'libsql';
import { toPresageError, type PresageError } from '../../core/errors.js';
import type { DurableLog } from '../log/durable-log.js';
import type { LogCompanion } from '../log/log-types.js';

const FOLDER = 'evidence';
/** Rows deleted per sweep. */
const SWEEP_ROWS = 200;
/** Files per folder: of events e0–e999, e1000–e1999, … */
const FOLDER_FILES = 1000;

const SQL = {
  add: 'insert or replace into evidence (stream, ref, t, at, bytes, file) values (?,?,?,?,?,?)',
  find: 'select file, t from evidence where stream = ? and ref = ? order by t desc limit 1',
  total: 'select coalesce(sum(bytes), 0) as bytes from evidence',
  files: 'select file from evidence',
  oldest: 'select rowid as id, file, at, bytes from evidence order by at limit ?',
  remove: 'delete from evidence where rowid = ?',
} as const;
type Statements = Readonly<Record<keyof typeof SQL, Libsql.Statement>>;

interface EvidenceRetention {
  /** Age by wall time, ms. */
  readonly maxAgeMs: number;
  /** Of all pictures together. */
  readonly maxBytes: number;
}

export interface EvidenceStoreOptions extends EvidenceRetention {
  /** Data folder of the log. */
  readonly folder: string;
  /** Told of files that could not be deleted. */
  readonly onError?: (error: PresageError) => void;
}

interface Picture {
  readonly stream: string;
  readonly ref: string;
  readonly t: number;
  readonly at: number;
  readonly bytes: number;
  readonly file: string;
}

/**
 * Pictures of events and of looks as JPEG files in the data folder, found by the log's database. A file is whole before its row is
 * written and goes after its row has gone, so every row has its file, whenever the process dies; files without a row
 * are removed at the next start.
 */
export class EvidenceStore implements LogCompanion {
  readonly #options: EvidenceStoreOptions;
  readonly #statements: Statements;
  readonly #schedule: () => void;
  #pending: Picture[] = [];
  #writing: readonly Picture[] = [];
  /** Files whose rows are gone with a commit that has succeeded. */
  #doomed: string[] = [];
  #bytes: number;

  constructor(log: Pick<DurableLog, 'attach'>, options: EvidenceStoreOptions) {
    this.#options = options;
    const { db, schedule } = log.attach(this);
    this.#statements = Object.fromEntries(
      Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]),
    ) as Statements;
    this.#schedule = schedule;
    this.#bytes = (this.#statements.total.get() as { bytes: number }).bytes;
  }

  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** Bytes of all pictures. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Removes what a crash left: files that are not whole, and such as no row names. Call before the first `put`. */
  async tidy(): Promise<number> {
    const root = join(this.#options.folder, FOLDER);
    const known = new Set((this.#statements.files.all() as { file: string }[]).map(({ file }) => file));
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    const orphans = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !known.has(nameOf(this.#options.folder, path)));
    for (const path of orphans) await rm(path, { force: true });
    return orphans.length;
  }

  /**
   * Writes a picture; its row follows with the next commit.
   * @param ref id of the event that it shows, or `l` and the milliseconds of a look
   */
  async put(stream: string, ref: string, t: number, at: number, jpeg: Uint8Array): Promise<void> {
    const number = Math.floor(Number(ref.replace(/\D/g, '')) / FOLDER_FILES);
    const path = join(this.#options.folder, FOLDER, stream, String(number), `${ref}.jpg`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.partial`, jpeg);
    await rename(`${path}.partial`, path);
    this.#pending.push({
      stream,
      ref,
      t,
      at,
      bytes: jpeg.byteLength,
      file: nameOf(this.#options.folder, path),
    });
    this.#schedule();
  }

  /** Path of the picture of an event; undefined when none is kept. */
  find(stream: string, ref: string): string | undefined {
    const row = this.#statements.find.get(stream, ref) as { file: string } | undefined;
    return row && join(this.#options.folder, ...row.file.split('/'));
  }

  write(): void {
    this.#writing = [...this.#pending];
    for (const { stream, ref, t, at, bytes, file } of this.#writing) {
      this.#statements.add.run(stream, ref, t, at, bytes, file);
    }
  }

  committed(): void {
    this.#pending = this.#pending.slice(this.#writing.length);
    for (const { bytes } of this.#writing) this.#bytes += bytes;
    this.#writing = [];
  }

  sweep(nowMs: number): number {
    // Their rows went with an earlier sweep, whose commit has succeeded or this one would not be called.
    this.#unlink(this.#doomed.splice(0));
    const rows = this.#statements.oldest.all(SWEEP_ROWS) as {
      id: number;
      file: string;
      at: number;
      bytes: number;
    }[];
    let deleted = 0;
    for (const { id, file, at, bytes } of rows) {
      if (at >= nowMs - this.#options.maxAgeMs && this.#bytes <= this.#options.maxBytes) break;
      this.#statements.remove.run(id);
      this.#bytes -= bytes;
      this.#doomed.push(file);
      deleted += 1;
    }
    return deleted;
  }

  #unlink(files: readonly string[]): void {
    for (const file of files) {
      const path = join(this.#options.folder, ...file.split('/'));
      rm(path, { force: true })
        // Fails while the folder still holds others: then it stays.
        .then(() => rmdir(dirname(path)).catch(() => undefined))
        .catch((thrown: unknown) => this.#options.onError?.(toPresageError(thrown, 'storage_failed')));
    }
  }
}

/** A path below the data folder, the same on every system. */
function nameOf(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}
