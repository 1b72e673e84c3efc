import type Libsql from 'libsql';
import type { ObjectHistory, Records, Relation } from '../../core/records/records.js';
import { ArchiveQueries } from './archive-queries.js';
import { History } from './history.js';
import type { DurableLog } from '../log/durable-log.js';
import type { Places } from '../../core/memory.js';
import type { LogCompanion } from '../log/log-types.js';
import { encodeObject } from './saved-object.js';

/** Rows deleted per table and sweep. */
const SWEEP_ROWS = 500;
/** Objects and relations whose last written form is remembered per stream, so that only changes are written. */
const MAX_REMEMBERED = 20_000;

const SQL = {
  object: `insert into objects (stream, id, label, first, last, at, bytes, json) values (?,?,?,?,?,?,?,?)
    on conflict do update set label = excluded.label, first = min(first, excluded.first), last = excluded.last,
      at = excluded.at, bytes = excluded.bytes, json = excluded.json`,
  relation: `insert into relations (stream, kind, a, b, begun, ended, open, at) values (?,?,?,?,?,?,?,?)
    on conflict do update set ended = excluded.ended, open = excluded.open, at = excluded.at`,
  oldObjects:
    'delete from objects where rowid in (select rowid from objects where at < ? order by at limit ?)',
  oldRelations:
    'delete from relations where rowid in (select rowid from relations where at < ? order by at limit ?)',
} as const;

type Statements = Readonly<Record<keyof typeof SQL, Libsql.Statement>>;

/**
 * Keeps in the log's database what memory knows beyond the messages: the records of objects and the relations between
 * them, so that they outlive memory's bounds. Events, explanations and summaries are not written again: they are in
 * the log, found by its index.
 */
export class Archive implements LogCompanion {
  readonly #statements: Statements;
  readonly #db: Libsql.Database;
  readonly #schedule: () => void;
  readonly #maxAgeMs: number;
  readonly #pending = new Map<string, () => void>();
  /** What was written last, by stream and id: another value means that there is something to write. */
  readonly #written = new Map<string, string>();

  /** @param maxAgeMs age by wall time after which records go, as for the messages */
  constructor(log: Pick<DurableLog, 'attach'>, maxAgeMs: number) {
    const { db, schedule } = log.attach(this);
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Statements;
    this.#db = db;
    this.#schedule = schedule;
    this.#maxAgeMs = maxAgeMs;
  }

  get pending(): boolean {
    return this.#pending.size > 0;
  }

  /** What is kept of a stream; of what is pending, nothing. */
  queries(streamId: string, places: Places): ArchiveQueries {
    return new ArchiveQueries(this.#db, streamId, places);
  }

  /** The messages that are kept of a stream; of what is pending, none. */
  history(streamId: string): History {
    return new History(this.#db, streamId);
  }

  /** Takes over what changed since the last call; durable with the next commit. */
  keep(streamId: string, { objects, relations }: Records, nowMs: number): void {
    for (const object of objects) {
      const key = `${streamId}\n${object.id}`;
      const mark = `${object.label} ${object.lastSeen} ${object.left?.t ?? ''} ${object.entered?.t ?? ''}`;
      if (this.#mark(key, mark)) this.#pending.set(key, () => this.#writeObject(streamId, object, nowMs));
    }
    for (const relation of relations) {
      const key = `${streamId}\n${relation.kind} ${relation.a} ${relation.b} ${relation.from}`;
      if (this.#mark(key, `${relation.to} ${relation.open}`))
        this.#pending.set(key, () => this.#writeRelation(streamId, relation, nowMs));
    }
    if (this.pending) this.#schedule();
  }

  write(): void {
    for (const write of this.#pending.values()) write();
  }

  committed(): void {
    this.#pending.clear();
  }

  sweep(nowMs: number): number {
    const before = nowMs - this.#maxAgeMs;
    const { oldObjects, oldRelations } = this.#statements;
    return oldObjects.run(before, SWEEP_ROWS).changes + oldRelations.run(before, SWEEP_ROWS).changes;
  }

  /** True when the mark is new. */
  #mark(key: string, mark: string): boolean {
    if (this.#written.get(key) === mark) return false;
    this.#written.delete(key);
    this.#written.set(key, mark);
    if (this.#written.size > MAX_REMEMBERED) {
      // The oldest is written once more should it still be there: no harm.
      this.#written.delete(this.#written.keys().next().value as string);
    }
    return true;
  }

  #writeObject(streamId: string, object: ObjectHistory, nowMs: number): void {
    const { id, label, firstSeen, lastSeen } = object;
    const json = encodeObject(object);
    this.#statements.object.run(streamId, id, label, firstSeen, lastSeen, nowMs, json.length, json);
  }

  #writeRelation(streamId: string, { kind, a, b, from, to, open }: Relation, nowMs: number): void {
    this.#statements.relation.run(streamId, kind, a, b, from, to, open ? 1 : 0, nowMs);
  }
}
