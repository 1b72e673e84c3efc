import { systemClock, type Clock } from '../../core/clock.js';
import { PresageError, toPresageError } from '../../core/errors.js';
import type { MessageKind } from '../../core/messages.js';
import type { StateStore } from '../../core/state.js';
import { damagedLog, guardStorage, openLogDatabase, type LogDatabase } from './log-database.js';
import { DEFAULT_RETENTION, keepFrom, type OldRow, type Retention } from './log-retention.js';
import { prepareStatements, type Statements } from './log-schema.js';
import type { DurableLogStats, LogAppend, LogCompanion, LogEntry, LogRange } from './log-types.js';
import { StateTable } from './state-table.js';

/** A lone message is committed at once; under load, commits come this far apart, so that one fsync serves many. */
const COMMIT_INTERVAL_MS = 100;
/** A batch of this size is committed without waiting for the interval. */
const MAX_BATCH = 256;
/** Messages held while the disk refuses; beyond it `append` throws. */
const MAX_PENDING = 10_000;
const RETRY_MS = 1000;
const SWEEP_INTERVAL_MS = 10_000;
/** Rows looked at and deleted per stream at a time: a few milliseconds. */
const SWEEP_ROWS = 1000;
/** Pages given back to the file system per sweep: a few milliseconds. */
const VACUUM_PAGES = 500;

export interface DurableLogOptions {
  /** Data folder, created where needed. One process at a time may hold it. */
  folder: string;
  retention?: Partial<Retention>;
  /** Least time between commits, ms. Default 100. */
  commitIntervalMs?: number;
  /** Wall time of messages, for retention by age. Default: the system clock. */
  clock?: Clock;
  /** Told of failures that no caller waits for: a commit (it is tried again) and a sweep. Default: ignored but counted. */
  onError?: (error: PresageError) => void;
}

interface StreamRow {
  readonly id: number;
  first: number;
  /** Durable. */
  last: number;
  /** Handed out, possibly not yet durable. */
  assigned: number;
  bytes: number;
  mediatime: number | null;
}

interface Pending extends LogEntry {
  readonly stream: StreamRow;
  readonly at: number;
  readonly refs: readonly string[];
  readonly onDurable: ((entry: LogEntry) => void) | undefined;
}

/**
 * The ordered log of every stream in one SQLite file (WAL, synchronous FULL), and the state that stages keep across
 * restarts. Sequences count up by one from 1, without gaps, across restarts. A message is told durable after its
 * commit and only then sent, so a crash loses at most what nobody has seen and never gives a sequence twice.
 *
 * `read`, `range` and `latest` see durable messages only. A failed commit keeps its messages and is tried again.
 */
export class DurableLog implements StateStore, AsyncDisposable {
  readonly #database: LogDatabase;
  readonly #statements: Statements;
  readonly #retention: Retention;
  readonly #commitIntervalMs: number;
  readonly #clock: Clock;
  readonly #onError: (error: PresageError) => void;
  readonly #streams = new Map<string, StreamRow>();
  readonly #state: StateTable;
  readonly #companions: LogCompanion[] = [];
  #pending: Pending[] = [];
  #failure: PresageError | undefined;
  #commitTimer: NodeJS.Timeout | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;
  #lastCommitAt = -Infinity;
  #retryAt = -Infinity;
  #closed = false;
  #counts = { commits: 0, committed: 0, deleted: 0, errors: 0, lastCommitMs: 0 };

  /** Rejects with `storage_failed` (with a hint) when the file is corrupt, read-only, in use or newer than this program. */
  static async open(options: DurableLogOptions): Promise<DurableLog> {
    const database = await openLogDatabase(options.folder);
    try {
      return guardStorage(database.path, () => new DurableLog(database, options));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private constructor(database: LogDatabase, options: DurableLogOptions) {
    this.#database = database;
    this.#retention = { ...DEFAULT_RETENTION, ...options.retention };
    this.#commitIntervalMs = options.commitIntervalMs ?? COMMIT_INTERVAL_MS;
    this.#clock = options.clock ?? systemClock;
    this.#onError = options.onError ?? (() => undefined);
    this.#statements = prepareStatements(database.db);
    this.#state = new StateTable(this.#statements, () => this.#scheduleCommit());
    for (const row of this.#statements.streams.all() as (StreamRow & { name: string })[]) this.#adopt(row);
    this.#scheduleSweep(SWEEP_INTERVAL_MS);
  }

  get path(): string {
    return this.#database.path;
  }

  /**
   * Gives the next sequence of the stream to a message and queues it for the next commit.
   * Throws `storage_failed` when the disk has refused for so long that too much is waiting.
   */
  append(streamId: string, message: LogAppend): number {
    this.#assertOpen();
    if (this.#pending.length >= MAX_PENDING) {
      throw new PresageError('storage_failed', `${MAX_PENDING} messages wait for the disk of ${this.path}`, {
        retryable: true,
        hint: 'Free some disk space, or choose another data folder with --data.',
      });
    }
    const stream = this.#obtain(streamId);
    const sequence = stream.assigned + 1;
    const json = message.render(sequence);
    stream.assigned = sequence;
    const { kind, mediatime, refs = [], onDurable } = message;
    this.#pending.push({ stream, sequence, kind, mediatime, json, at: this.#wallMs(), refs, onDurable });
    if (this.#pending.length >= MAX_BATCH && performance.now() >= this.#retryAt) this.#tryCommit();
    else this.#scheduleCommit();
    return sequence;
  }

  /** Commits what is pending now. Throws `storage_failed`; nothing is lost then, it is tried again. */
  flush(): void {
    clearTimeout(this.#commitTimer);
    this.#commitTimer = undefined;
    const batch = this.#pending;
    const writers = this.#companions.filter(({ pending }) => pending);
    if (batch.length === 0 && this.#state.pending === 0 && writers.length === 0) return;
    const started = performance.now();
    this.#transaction(() => {
      this.#write(batch);
      this.#state.write();
      for (const writer of writers) writer.write();
    });
    this.#pending = [];
    this.#failure = undefined;
    this.#state.committed();
    for (const writer of writers) writer.committed();
    this.#lastCommitAt = performance.now();
    this.#counts.commits += 1;
    this.#counts.committed += batch.length;
    this.#counts.lastCommitMs = this.#lastCommitAt - started;
    for (const entry of batch) this.#settle(entry);
    for (const entry of batch) this.#tell(entry);
  }

  /** Up to `limit` durable messages with a sequence of at least `fromSequence`, in order. Throws `storage_failed`. */
  read(streamId: string, fromSequence: number, limit: number): LogEntry[] {
    this.#assertOpen();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return [];
    return this.#guard(() => this.#statements.page.all(stream.id, fromSequence, limit)) as LogEntry[];
  }

  range(streamId: string): LogRange {
    const stream = this.#streams.get(streamId);
    return stream === undefined ? { first: 1, last: 0 } : { first: stream.first, last: stream.last };
  }

  /** Every stream that ever had a message here. */
  streamIds(): string[] {
    return [...this.#streams.keys()];
  }

  /** The newest durable message of a kind: quick for `stream.state` and `scorecard.updated`, a search for others. */
  latest(streamId: string, kind: MessageKind): LogEntry | undefined {
    this.#assertOpen();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return undefined;
    return this.#guard(() => this.#statements.latest.all(stream.id, kind)[0]) as LogEntry | undefined;
  }

  /** The oldest message that is kept about an event, an object or a prediction. */
  firstAbout(streamId: string, ref: string): LogEntry | undefined {
    this.#assertOpen();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return undefined;
    return this.#guard(() => this.#statements.firstAbout.all(stream.id, ref)[0]) as LogEntry | undefined;
  }

  /** Media time of the stream's newest durable message, s; a restarted stream goes on from there. */
  lastMediatime(streamId: string): number | undefined {
    return this.#streams.get(streamId)?.mediatime ?? undefined;
  }

  /** Counts the runs of a stream, from 1; durable at once. Ids of messages that are not durable are built on it. */
  beginRun(streamId: string): number {
    this.#assertOpen();
    const stream = this.#obtain(streamId);
    return (this.#guard(() => this.#statements.nextRun.get(stream.id)) as { runs: number }).runs;
  }

  load(streamId: string, key: string): unknown {
    this.#assertOpen();
    return this.#guard(() => this.#state.load(streamId, key));
  }

  loadAll(streamId: string, prefix: string): Readonly<Record<string, unknown>> {
    this.#assertOpen();
    return this.#guard(() => this.#state.loadAll(streamId, prefix));
  }

  save(streamId: string, key: string, value: unknown): void {
    this.#assertOpen();
    this.#state.save(streamId, key, value);
  }

  remove(streamId: string, key: string): void {
    this.#assertOpen();
    this.#state.remove(streamId, key);
  }

  removeAll(streamId: string, prefix: string): void {
    this.#assertOpen();
    this.#guard(() => this.#state.removeAll(streamId, prefix));
  }

  /** Lets a companion write in the log's transactions from now on; it calls what it gets when it has something. */
  attach(companion: LogCompanion): { readonly db: LogDatabase['db']; readonly schedule: () => void } {
    this.#assertOpen();
    this.#companions.push(companion);
    return { db: this.#database.db, schedule: () => this.#scheduleCommit() };
  }

  /** Deletes what retention no longer covers, oldest first, in one bounded step. Returns how many messages went. */
  sweep(): number {
    this.#assertOpen();
    let deleted = 0;
    for (const stream of this.#streams.values()) deleted += this.#guard(() => this.#trim(stream));
    this.#counts.deleted += deleted;
    for (const companion of this.#companions) {
      this.#transaction(() => (deleted += companion.sweep(this.#wallMs())));
    }
    if (deleted > 0) this.#guard(() => this.#database.db.pragma(`incremental_vacuum(${VACUUM_PAGES})`));
    return deleted;
  }

  /** Why the last commit failed, such as a full disk; undefined once a commit has succeeded again. */
  get failure(): PresageError | undefined {
    return this.#failure;
  }

  stats(): DurableLogStats {
    return { pending: this.#pending.length, ...this.#counts };
  }

  /** Commits what is pending and closes; idempotent. Rejects when that last commit fails. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#closed) this.#close();
      resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #close(): void {
    try {
      this.flush();
    } finally {
      this.#closed = true;
      clearTimeout(this.#commitTimer);
      clearTimeout(this.#sweepTimer);
      this.#guard(() => this.#database.close());
    }
  }

  #adopt(row: StreamRow & { name: string }): void {
    const newest = (this.#statements.newest.get(row.id) as { last: number | null }).last ?? row.first - 1;
    if (newest !== row.last) {
      throw damagedLog(this.path, `stream ${row.name} ends at ${newest}, not ${row.last}`);
    }
    const { id, first, last, bytes, mediatime } = row;
    this.#streams.set(row.name, { id, first, last, assigned: last, bytes, mediatime });
  }

  #obtain(streamId: string): StreamRow {
    const known = this.#streams.get(streamId);
    if (known !== undefined) return known;
    const id = Number(this.#guard(() => this.#statements.addStream.run(streamId)).lastInsertRowid);
    const stream: StreamRow = { id, first: 1, last: 0, assigned: 0, bytes: 0, mediatime: null };
    this.#streams.set(streamId, stream);
    return stream;
  }

  #write(batch: readonly Pending[]): void {
    const touched = new Map<StreamRow, { bytes: number; newest: Pending }>();
    for (const entry of batch) {
      const { stream, sequence, at, kind, mediatime, json } = entry;
      this.#statements.insert.run(stream.id, sequence, at, json.length, kind, mediatime, json);
      for (const ref of entry.refs) this.#statements.refer.run(stream.id, ref, sequence);
      const bytes = (touched.get(stream)?.bytes ?? stream.bytes) + json.length;
      touched.set(stream, { bytes, newest: entry });
    }
    for (const [stream, { bytes, newest }] of touched) {
      this.#statements.advance.run(newest.sequence, bytes, newest.mediatime, stream.id);
    }
  }

  #settle({ stream, sequence, mediatime, json }: Pending): void {
    stream.last = sequence;
    stream.mediatime = mediatime;
    stream.bytes += json.length;
  }

  /** A listener that throws can't keep the others from hearing. */
  #tell(entry: Pending): void {
    try {
      entry.onDurable?.(entry);
    } catch (thrown) {
      this.#report(toPresageError(thrown));
    }
  }

  #trim(stream: StreamRow): number {
    const oldest = this.#statements.oldest.all(stream.id, SWEEP_ROWS) as OldRow[];
    const { first, bytes } = keepFrom(oldest, stream, this.#retention, this.#wallMs());
    const deleted = first - stream.first;
    if (deleted === 0) return 0;
    this.#transaction(() => {
      this.#statements.remove.run(stream.id, first - 1);
      this.#statements.unrefer.run(stream.id, first - 1);
      this.#statements.trim.run(first, bytes, stream.id);
    });
    stream.first = first;
    stream.bytes = bytes;
    return deleted;
  }

  #scheduleCommit(): void {
    if (this.#commitTimer !== undefined) return;
    const due = Math.max(this.#lastCommitAt + this.#commitIntervalMs, this.#retryAt);
    this.#commitTimer = setTimeout(() => this.#tryCommit(), Math.max(0, due - performance.now()));
  }

  #tryCommit(): void {
    try {
      this.flush();
    } catch (thrown) {
      this.#retryAt = performance.now() + RETRY_MS;
      this.#failure = toPresageError(thrown, 'storage_failed');
      this.#report(this.#failure);
      this.#scheduleCommit();
    }
  }

  #scheduleSweep(delayMs: number): void {
    this.#sweepTimer = setTimeout(() => {
      let deleted = 0;
      try {
        deleted = this.sweep();
      } catch (thrown) {
        this.#report(toPresageError(thrown, 'storage_failed'));
      }
      this.#scheduleSweep(deleted > 0 ? this.#commitIntervalMs : SWEEP_INTERVAL_MS);
    }, delayMs).unref();
  }

  #transaction(action: () => void): void {
    const { db } = this.#database;
    this.#guard(() => {
      db.exec('BEGIN IMMEDIATE');
      try {
        action();
        db.exec('COMMIT');
      } catch (error) {
        if (db.inTransaction) db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guard<T>(action: () => T): T {
    return guardStorage(this.path, action);
  }

  #report(error: PresageError): void {
    this.#counts.errors += 1;
    this.#onError(error);
  }

  #wallMs(): number {
    return this.#clock.wall().getTime();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PresageError('storage_failed', `The durable log ${this.path} is closed`);
  }
}
