import type Libsql from 'libsql';
import type { EventObserved, Explanation, MessageKind, Prediction } from '../../core/messages.js';
import {
  likeness,
  appearancesOf,
  matchesEpisode,
  matchesEvent,
  matchesObject,
  matchesRelation,
  RecordQueries,
  type EpisodeQuery,
  type EventQuery,
  type Hit,
  type Likeness,
  type MemoryQueries,
  type ObjectQuery,
  type RelationQuery,
  type SimilarityQuery,
} from '../../core/records/query.js';
import type { Episode, ObjectHistory, Relation, RelationKind, Span } from '../../core/records/records.js';
import type { Places } from '../../core/memory.js';
import { decodeObject } from './saved-object.js';

/** Rows read for one question at most, the newest; a day of a busy street has some 10,000 events. */
const MAX_EVENTS = 20_000;
const MAX_OBJECTS = 5000;
const MAX_RELATIONS = 20_000;
const MAX_EPISODES = 2000;
/** An event is told at most this long after its time, s; messages are indexed by when they were told. */
const MAX_REPORT_DELAY_S = 30;
/** A prediction is open at most this long, s: the longest horizon and its confirmation. */
const LONGEST_OPEN_S = 120;
const MIN_COSINE = 0.5;
const FOREVER = 1e15;

const MESSAGES = `select m.json from messages m join streams s on s.id = m.stream where s.name = ?`;
const BY_REF = `select m.json from refs r join streams s on s.id = r.stream
  join messages m on m.stream = r.stream and m.sequence = r.sequence where s.name = ? and r.ref = ?`;
const byKind = (kind: MessageKind): string =>
  `${MESSAGES} and m.kind = '${kind}' and m.mediatime >= ? and m.mediatime <= ? order by m.mediatime desc limit ?`;
const SQL = {
  // The kind stands in the text: an index of some kinds is not used for one that is bound.
  'event.observed': byKind('event.observed'),
  'prediction.created': byKind('prediction.created'),
  'summary.created': byKind('summary.created'),
  byRef: `${BY_REF} and m.kind = ? order by r.sequence desc limit ?`,
  object: 'select json from objects where stream = ? and id = ?',
  objects:
    'select json from objects where stream = ? and last >= ? and first <= ? order by last desc limit ?',
  relations: `select kind, a, b, begun, ended, open from relations where stream = ? and ended >= ? and begun <= ?
    order by ended desc limit ?`,
  relationsOf: `select kind, a, b, begun, ended, open from relations where stream = ? and (a = ? or b = ?)
    order by ended desc limit ?`,
  extent: `select s.mediatime as last, (select min(mediatime) from messages where stream = s.id and sequence = s.first) as first
    from streams s where s.name = ?`,
} as const;
type IndexedKind = 'event.observed' | 'prediction.created' | 'summary.created';
type Statements = Readonly<Record<keyof typeof SQL, Libsql.Statement>>;

interface RelationRow {
  readonly kind: string;
  readonly a: string;
  readonly b: string;
  readonly begun: number;
  readonly ended: number;
  readonly open: number;
}

/**
 * Answers what memory answers, of all that is kept on disk. The conditions are those of memory (`core/query`); indexes
 * only narrow what is looked at. Reads at most the bounds above, newest first.
 */
export class ArchiveQueries implements MemoryQueries {
  readonly #statements: Statements;
  readonly #streamId: string;
  readonly #places: Places;

  constructor(db: Libsql.Database, streamId: string, places: Places) {
    this.#statements = Object.fromEntries(
      Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]),
    ) as Statements;
    this.#streamId = streamId;
    this.#places = places;
  }

  /** Media times of the oldest and the newest message; undefined when there is none. */
  extent(): Span | undefined {
    const row = this.#statements.extent.get(this.#streamId) as
      { first: number | null; last: number | null } | undefined;
    if (row?.last == null) return undefined;
    return { from: row.first ?? row.last, to: row.last };
  }

  objects(query: ObjectQuery = {}): readonly ObjectHistory[] {
    const rows = query.ids
      ? query.ids.flatMap((id) => this.#statements.object.all(this.#streamId, id))
      : this.#statements.objects.all(this.#streamId, ...range(query.span), MAX_OBJECTS);
    const objects = (rows as { json: string }[]).map(({ json }) => decodeObject(json));
    const fitting = objects.filter((object) => matchesObject(query, object, this.#places));
    return limited(
      fitting.sort((x, y) => x.firstSeen - y.firstSeen || byNumber(x.id, y.id)),
      query,
    );
  }

  events(query: EventQuery = {}): readonly EventObserved[] {
    const ref = query.ids?.length === 1 ? query.ids[0] : query.objects?.[0];
    const found =
      ref === undefined
        ? this.#dataByKind('event.observed', query.span, MAX_EVENTS)
        : this.#dataByRef(ref, 'event.observed', MAX_EVENTS);
    const fitting = (found as EventObserved[]).filter((event) => matchesEvent(query, event, this.#places));
    return limited(
      fitting.sort((x, y) => x.event.t - y.event.t || x.observedAt - y.observedAt),
      query,
    );
  }

  relations(query: RelationQuery = {}): readonly Relation[] {
    const one = query.object ?? query.a ?? query.b;
    const rows =
      one === undefined
        ? this.#statements.relations.all(this.#streamId, ...range(query.span), MAX_RELATIONS)
        : this.#statements.relationsOf.all(this.#streamId, one, one, MAX_RELATIONS);
    const relations = (rows as RelationRow[]).map(({ kind, a, b, begun, ended, open }): Relation => ({
      kind: kind as RelationKind,
      a,
      b,
      from: begun,
      to: ended,
      open: open !== 0,
    }));
    const fitting = relations.filter((relation) => matchesRelation(query, relation));
    return limited(
      fitting.sort((x, y) => x.from - y.from),
      query,
    );
  }

  episodes(query: EpisodeQuery = {}): readonly Episode[] {
    const found = this.#dataByKind('summary.created', undefined, MAX_EPISODES) as Episode[];
    const fitting = found.filter((episode) => matchesEpisode(query, episode));
    return limited(
      fitting.sort((x, y) => x.from - y.from),
      query,
    );
  }

  similar({ like, minCosine = MIN_COSINE, span, limit }: SimilarityQuery): readonly Likeness[] {
    const self = typeof like === 'string' ? this.objects({ ids: [like] })[0] : undefined;
    const looks = typeof like === 'string' ? (self ? appearancesOf(self) : []) : [like];
    if (looks.length === 0) return [];
    return this.objects(span ? { span } : {})
      .filter(({ id }) => id !== like)
      .flatMap((object) => likeness(object, looks, span) ?? [])
      .filter(({ cosine }) => cosine >= minCosine)
      .sort((x, y) => y.cosine - x.cosine)
      .slice(0, limit);
  }

  search(text: string, limit?: number): readonly Hit[] {
    const records = {
      objects: this.objects(),
      events: this.events(),
      relations: [],
      episodes: this.episodes(),
      places: this.#places,
    };
    return new RecordQueries(records).search(text, limit);
  }

  /** The newest explanation of an event. */
  explanationOf(eventId: string): Explanation | undefined {
    const [data] = this.#dataByRef(`of:${eventId}`, 'explanation.created', 1);
    return (data as { explanation: Explanation } | undefined)?.explanation;
  }

  /** Predictions that can still come true, the likeliest first. */
  openPredictions(): readonly Prediction[] {
    const now = this.extent()?.to ?? 0;
    return this.unresolvedPredictions()
      .filter(({ window }) => window.to >= now)
      .sort((x, y) => y.probability - x.probability);
  }

  /** Predictions of the stream's last minutes of which no outcome was told, oldest first. */
  unresolvedPredictions(): readonly Prediction[] {
    const now = this.extent()?.to ?? 0;
    const told = this.#dataByKind('prediction.created', { from: now - LONGEST_OPEN_S }, MAX_EVENTS);
    return (told as { prediction: Prediction }[])
      .map(({ prediction }) => prediction)
      .filter(({ id }) => this.#dataByRef(id, 'prediction.resolved', 1).length === 0)
      .reverse();
  }

  #dataByKind(kind: IndexedKind, span: Partial<Span> | undefined, most: number): unknown[] {
    const [from, to] = range(span);
    const rows = this.#statements[kind].all(this.#streamId, from, to + MAX_REPORT_DELAY_S, most);
    return rows.map(dataOf);
  }

  #dataByRef(ref: string, kind: MessageKind, most: number): unknown[] {
    return this.#statements.byRef.all(this.#streamId, ref, kind, most).map(dataOf);
  }
}

function dataOf(row: unknown): unknown {
  return (JSON.parse((row as { json: string }).json) as { data: unknown }).data;
}

/** SQLite binds no infinity. */
function range({ from = -FOREVER, to = FOREVER }: Partial<Span> = {}): [from: number, to: number] {
  return [Math.max(from, -FOREVER), Math.min(to, FOREVER)];
}

/** `o2` before `o10`. */
function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

function limited<T>(
  found: readonly T[],
  { limit, keep }: { limit?: number; keep?: 'oldest' | 'newest' },
): readonly T[] {
  if (limit === undefined || found.length <= limit) return found;
  return keep === 'newest' ? found.slice(found.length - limit) : found.slice(0, limit);
}
