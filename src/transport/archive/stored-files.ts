import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type Libsql from 'libsql';
import { toPresageError, type PresageError } from '../../core/errors.js';
import type { DurableLog } from '../log/durable-log.js';
import type { LogCompanion } from '../log/log-types.js';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../log/private-files.js';

/** Rows deleted per sweep. */
const SWEEP_ROWS = 200;

/** A table of the log's database, and the folder of the same name in the data folder. */
type FileKind = 'evidence' | 'clips';

const sqlOf = (table: FileKind) =>
  ({
    add: `insert or replace into ${table} (stream, ref, t, at, bytes, file) values (?,?,?,?,?,?)`,
    find: `select ref, file, t from ${table} where stream = ? and ref = ? order by t desc limit 1`,
    between: `select ref, file, t from ${table} where stream = ? and t >= ? and t <= ? order by t`,
    total: `select coalesce(sum(bytes), 0) as bytes from ${table}`,
    files: `select file from ${table}`,
    oldest: `select rowid as id, file, at, bytes from ${table} order by at limit ?`,
    remove: `delete from ${table} where rowid = ?`,
  }) as const;
type Statements = Readonly<Record<keyof ReturnType<typeof sqlOf>, Libsql.Statement>>;

export interface StoredFilesOptions {
  readonly kind: FileKind;
  /** Data folder of the log. */
  readonly folder: string;
  /** Age by wall time, ms. */
  readonly maxAgeMs: number;
  /** Of all files together. */
  readonly maxBytes: number;
  /** Told of files that could not be deleted. */
  readonly onError?: (error: PresageError) => void;
}

/** A file that is kept. */
export interface StoredFile {
  readonly ref: string;
  readonly t: number;
  readonly path: string;
}

interface Row {
  readonly stream: string;
  readonly ref: string;
  readonly t: number;
  readonly at: number;
  readonly bytes: number;
  readonly file: string;
}

/**
 * Files of one kind in the data folder, found by the log's database. A file is whole before its row is written and goes
 * after its row has gone, so every row has its file, whenever the process dies; files without a row are removed at the
 * next start.
 */
export class StoredFiles implements LogCompanion {
  readonly #options: StoredFilesOptions;
  readonly #statements: Statements;
  readonly #schedule: () => void;
  #pending: Row[] = [];
  #writing: readonly Row[] = [];
  /** Files whose rows are gone with a commit that has succeeded. */
  #doomed: string[] = [];
  #bytes: number;

  constructor(log: Pick<DurableLog, 'attach'>, options: StoredFilesOptions) {
    this.#options = options;
    const { db, schedule } = log.attach(this);
    this.#statements = Object.fromEntries(
      Object.entries(sqlOf(options.kind)).map(([name, sql]) => [name, db.prepare(sql)]),
    ) as Statements;
    this.#schedule = schedule;
    this.#bytes = (this.#statements.total.get() as { bytes: number }).bytes;
  }

  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** Of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Removes what a crash left: files that are not whole, and such as no row names. Call before the first `put`. */
  async tidy(): Promise<number> {
    const root = join(this.#options.folder, this.#options.kind);
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
   * Writes a file; its row follows with the next commit.
   * @param name path below the folder of the stream
   */
  async put(
    stream: string,
    ref: string,
    t: number,
    at: number,
    name: string,
    data: Uint8Array,
  ): Promise<void> {
    const { folder, kind } = this.#options;
    const path = join(folder, kind, stream, name);
    await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
    await writeFile(`${path}.partial`, data, { mode: PRIVATE_FILE });
    await rename(`${path}.partial`, path);
    this.#pending.push({ stream, ref, t, at, bytes: data.byteLength, file: nameOf(folder, path) });
    this.#schedule();
  }

  /** Path of the newest file with this reference; undefined when none is kept. */
  find(stream: string, ref: string): string | undefined {
    const row = this.#statements.find.get(stream, ref) as Row | undefined;
    return row && this.#kept(row).path;
  }

  /** Files whose times lie between two media times, by time; not those of the last moments before the next commit. */
  between(stream: string, from: number, to: number): StoredFile[] {
    return (this.#statements.between.all(stream, from, to) as Row[]).map((row) => this.#kept(row));
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

  #kept({ ref, t, file }: Row): StoredFile {
    return { ref, t, path: join(this.#options.folder, ...file.split('/')) };
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
