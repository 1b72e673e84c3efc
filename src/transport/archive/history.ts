import type Libsql from 'libsql';
import type { MessageKind } from '../../core/messages.js';
import type { Span } from '../../core/records/records.js';

/** Kinds that can be paged through: the database has an index of their times. */
export type PagedKind = Extract<MessageKind, 'event.observed' | 'explanation.created' | 'prediction.created'>;

/** A durable message as it is kept. */
export interface StoredMessage {
  readonly sequence: number;
  readonly mediatime: number;
  readonly time: string | undefined;
  readonly data: unknown;
}

/** Where a page ended: messages before it, going back in time, are on the next one. */
export interface Cursor {
  readonly mediatime: number;
  readonly sequence: number;
}

const FOREVER = 1e15;
/** Messages read at a time. */
const BATCH = 200;

const COLUMNS = 'm.sequence, m.mediatime, m.json';
const BEFORE = `m.mediatime >= ? and m.mediatime <= ? and (m.mediatime < ? or m.sequence < ?)
  order by m.mediatime desc, m.sequence desc limit ?`;
const byTime = (kind: PagedKind): string =>
  `select ${COLUMNS} from messages m join streams s on s.id = m.stream where s.name = ? and m.kind = '${kind}' and ${BEFORE}`;
const SQL = {
  // The kind stands in the text: an index of some kinds is not used for one that is bound.
  'event.observed': byTime('event.observed'),
  'explanation.created': byTime('explanation.created'),
  'prediction.created': byTime('prediction.created'),
  byRef: `select ${COLUMNS} from refs r join streams s on s.id = r.stream
    join messages m on m.stream = r.stream and m.sequence = r.sequence
    where s.name = ? and r.ref = ? and m.kind = ? and ${BEFORE}`,
} as const;
type Statements = Readonly<Record<keyof typeof SQL, Libsql.Statement>>;

interface Row {
  readonly sequence: number;
  readonly mediatime: number;
  readonly json: string;
}

/** The messages of a stream, newest first, in pages. */
export class History {
  readonly #statements: Statements;
  readonly #streamId: string;

  constructor(db: Libsql.Database, streamId: string) {
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Statements;
    this.#streamId = streamId;
  }

  /**
   * Messages of a kind told within the span, newest first, from the cursor on, read as they are taken.
   * @param ref only those about this event or object
   */
  *messages(kind: PagedKind, span: Partial<Span>, from?: Cursor, ref?: string): Generator<StoredMessage> {
    const first = Math.max(span.from ?? -FOREVER, -FOREVER);
    let cursor = from ?? { mediatime: FOREVER, sequence: 0 };
    const last = Math.min(span.to ?? FOREVER, FOREVER);
    for (;;) {
      const most = Math.min(last, cursor.mediatime);
      const bounds = [first, most, cursor.mediatime, cursor.sequence, BATCH];
      const rows = (
        ref === undefined
          ? this.#statements[kind].all(this.#streamId, ...bounds)
          : this.#statements.byRef.all(this.#streamId, ref, kind, ...bounds)
      ) as Row[];
      for (const row of rows) yield keptOf(row);
      const end = rows.at(-1);
      if (end === undefined || rows.length < BATCH) return;
      cursor = end;
    }
  }

  /** The newest message of a kind about an event, object or prediction; `of:e7` finds the explanation of e7. */
  latestOf(ref: string, kind: MessageKind): StoredMessage | undefined {
    const bounds = [-FOREVER, FOREVER, FOREVER, 0, 1];
    const [row] = this.#statements.byRef.all(this.#streamId, ref, kind, ...bounds) as Row[];
    return row && keptOf(row);
  }
}

function keptOf({ sequence, mediatime, json }: Row): StoredMessage {
  const { time, data } = JSON.parse(json) as { time?: string; data: unknown };
  return { sequence, mediatime, time, data };
}
