import { ownValue } from '../own-value.js';
import { boxPosition, inPolygon, type Box } from '../maths/box.js';
import type { EventObserved } from '../messages.js';
import { ORDERED_TYPES, UPRIGHT_LABELS, type EventType } from '../ontology.js';
import { eventClause, objectPhrase } from '../text/object-names.js';
import {
  SYMMETRIC_RELATIONS,
  type Episode,
  type Keyframe,
  type ObjectHistory,
  type Records,
  type Relation,
  type RelationKind,
  type Span,
} from './records.js';
import type { Places } from '../memory.js';
import { cosine } from '../maths/cosine.js';
import { wordsMatched, wordsOf } from '../text/words.js';

/** A box in frame fractions, or the name of a configured zone. */
export type PlaceRef = { readonly box: Box } | { readonly zone: string };

/** Conditions that all must hold; an omitted one holds for every record. */
interface Conditions {
  /** Media seconds; a record that overlaps the span matches. */
  readonly span?: Partial<Span>;
  /** Every word must be found (labels, types, ids, zones, texts). */
  readonly text?: string;
  /** Maximum number of records. */
  readonly limit?: number;
  /** The records that the limit keeps; the result is in order of time in both cases. Default `oldest`. */
  readonly keep?: 'oldest' | 'newest';
}

export interface ObjectQuery extends Conditions {
  readonly ids?: readonly string[];
  readonly labels?: readonly string[];
  /** The object was at this place at some time within the span. */
  readonly place?: PlaceRef;
}

export interface EventQuery extends Conditions {
  readonly ids?: readonly string[];
  readonly types?: readonly EventType[];
  /** Ids of objects that all take part. For types with roles (`follow`, `pick_up`): in this order when `ordered`. */
  readonly objects?: readonly string[];
  readonly ordered?: boolean;
  /** A participant has one of these labels. */
  readonly labels?: readonly string[];
  /** The event has this zone or line, or a participant was at this place. */
  readonly place?: PlaceRef;
}

export interface RelationQuery extends Omit<Conditions, 'text'> {
  readonly kinds?: readonly RelationKind[];
  /** Ids of the two objects; either may be omitted. Symmetric kinds match both ways. */
  readonly a?: string;
  readonly b?: string;
  /** Id of an object on either side. */
  readonly object?: string;
}

export interface EpisodeQuery extends Conditions {
  readonly objects?: readonly string[];
  readonly events?: readonly string[];
}

export interface SimilarityQuery extends Omit<Conditions, 'text' | 'keep'> {
  /** Id of an object, which the result then excludes; or an appearance, unit length. */
  readonly like: string | Float32Array;
  /** Default 0.5. */
  readonly minCosine?: number;
}

/** An object of similar appearance, its cosine, and the keyframe of the highest cosine. */
export interface Likeness {
  readonly object: ObjectHistory;
  readonly cosine: number;
  readonly keyframe?: Keyframe;
}

/** A result of a search for words. `score`: share of the words found, 0–1. */
export type Hit = { readonly score: number } & (
  { readonly object: ObjectHistory } | { readonly event: EventObserved } | { readonly episode: Episode }
);

/** Queries of memory and the archive. Results are in order of time, except those ranked by similarity or score. */
export interface MemoryQueries {
  objects(query?: ObjectQuery): readonly ObjectHistory[];
  events(query?: EventQuery): readonly EventObserved[];
  relations(query?: RelationQuery): readonly Relation[];
  episodes(query?: EpisodeQuery): readonly Episode[];
  /** Returns objects of similar appearance, most similar first. Empty when the object or its appearance is unknown. */
  similar(query: SimilarityQuery): readonly Likeness[];
  /** Returns objects, events and episodes that contain some of the words, best first. */
  search(text: string, limit?: number): readonly Hit[];
}

const MIN_COSINE = 0.5;
const HITS = 20;

/** Queries of records in memory. */
export class RecordQueries implements MemoryQueries {
  constructor(private readonly records: Records) {}

  objects(query: ObjectQuery = {}): readonly ObjectHistory[] {
    const { places } = this.records;
    return take(query, this.records.objects, (object) => matchesObject(query, object, places));
  }

  events(query: EventQuery = {}): readonly EventObserved[] {
    const { places } = this.records;
    return take(query, this.records.events, (event) => matchesEvent(query, event, places));
  }

  relations(query: RelationQuery = {}): readonly Relation[] {
    return take(query, this.records.relations, (relation) => matchesRelation(query, relation));
  }

  episodes(query: EpisodeQuery = {}): readonly Episode[] {
    return take(query, this.records.episodes, (episode) => matchesEpisode(query, episode));
  }

  similar({ like, minCosine = MIN_COSINE, span, limit }: SimilarityQuery): readonly Likeness[] {
    const others = this.records.objects.filter(({ id }) => id !== like);
    const self = this.records.objects.find(({ id }) => id === like);
    const appearances = typeof like === 'string' ? (self ? appearancesOf(self) : []) : [like];
    return others
      .map((object) => likeness(object, appearances, span))
      .filter((found) => found !== undefined)
      .filter((found) => found.cosine >= minCosine)
      .sort((x, y) => y.cosine - x.cosine)
      .slice(0, limit);
  }

  search(text: string, limit = HITS): readonly Hit[] {
    const wanted = wordsOf(text);
    const hits: Hit[] = [
      ...this.records.objects.map((object) => ({
        score: wordsMatched(wanted, wordsOfObject(object)),
        object,
      })),
      ...this.records.events.map((event) => ({ score: wordsMatched(wanted, wordsOfEvent(event)), event })),
      ...this.records.episodes.map((episode) => ({
        score: wordsMatched(wanted, wordsOf(episode.text)),
        episode,
      })),
    ];
    return hits
      .filter(({ score }) => score > 0)
      .sort((x, y) => y.score - x.score)
      .slice(0, limit);
  }
}

export function matchesObject(query: ObjectQuery, object: ObjectHistory, places: Places): boolean {
  const { ids, labels, span, text, place } = query;
  if (ids && !ids.includes(object.id)) return false;
  if (labels && !labels.includes(object.label)) return false;
  if (span && !object.spans.some((stay) => overlaps(span, stay))) return false;
  if (text !== undefined && wordsMatched(wordsOf(text), wordsOfObject(object)) < 1) return false;
  if (!place) return true;
  const path = span ? object.path.filter(({ t }) => overlaps(span, { from: t, to: t })) : object.path;
  return path.some(({ box }) => isAt(place, box, object.label, places));
}

export function matchesEvent(query: EventQuery, { event }: EventObserved, places: Places): boolean {
  const { ids, types, objects, labels, span, text, place } = query;
  if (ids && !ids.includes(event.id)) return false;
  if (types && !types.includes(event.type)) return false;
  if (span && !overlaps(span, { from: event.t, to: event.to ?? event.t })) return false;
  const { participants } = event;
  if (objects && !objects.every((id) => participants.some((participant) => participant.id === id)))
    return false;
  if (query.ordered && objects && ORDERED_TYPES.has(event.type)) {
    if (!objects.every((id, i) => participants[i]?.id === id)) return false;
  }
  if (labels && !participants.some(({ label }) => labels.includes(label))) return false;
  if (text !== undefined && wordsMatched(wordsOf(text), wordsOfEvent({ event, observedAt: event.t })) < 1)
    return false;
  if (!place) return true;
  if ('zone' in place && event.zone === place.zone) return true;
  return participants.some(({ box, label }) => isAt(place, box, label, places));
}

export function matchesRelation(query: RelationQuery, relation: Relation): boolean {
  const { kinds, a, b, object, span } = query;
  if (kinds && !kinds.includes(relation.kind)) return false;
  if (span && !overlaps(span, relation)) return false;
  if (object !== undefined && relation.a !== object && relation.b !== object) return false;
  const fits = (x: string, y: string): boolean => (a ?? x) === x && (b ?? y) === y;
  if (fits(relation.a, relation.b)) return true;
  return SYMMETRIC_RELATIONS.has(relation.kind) && fits(relation.b, relation.a);
}

export function matchesEpisode(query: EpisodeQuery, episode: Episode): boolean {
  const { objects, events, span, text } = query;
  if (span && !overlaps(span, episode)) return false;
  if (objects && !objects.every((id) => episode.objects.includes(id))) return false;
  if (events && !events.every((id) => episode.events.includes(id))) return false;
  return text === undefined || wordsMatched(wordsOf(text), wordsOf(episode.text)) === 1;
}

/** Returns the highest cosine of an object's keyframes within the span, or of its smoothed appearance without keyframes. */
export function likeness(
  object: ObjectHistory,
  appearances: readonly Float32Array[],
  span: Partial<Span> | undefined,
): Likeness | undefined {
  if (span && !object.spans.some((stay) => overlaps(span, stay))) return undefined;
  let best: Likeness | undefined;
  for (const keyframe of object.keyframes) {
    if (span && !overlaps(span, { from: keyframe.t, to: keyframe.t })) continue;
    const value = Math.max(...appearances.map((appearance) => cosine(appearance, keyframe.embedding)));
    if (!best || value > best.cosine) best = { object, cosine: value, keyframe };
  }
  const { embedding } = object;
  if (embedding && !best)
    best = { object, cosine: Math.max(...appearances.map((appearance) => cosine(appearance, embedding))) };
  return best;
}

/** Returns the appearances by which an object is compared with others. */
export function appearancesOf({ embedding, keyframes }: ObjectHistory): readonly Float32Array[] {
  return keyframes.length > 0
    ? keyframes.map((keyframe) => keyframe.embedding)
    : embedding
      ? [embedding]
      : [];
}

function isAt(place: PlaceRef, box: Box, label: string, { zones }: Places): boolean {
  const [x, y] = boxPosition(box, UPRIGHT_LABELS.has(label));
  if ('zone' in place) return inPolygon(x, y, ownValue(zones, place.zone) ?? []);
  const [left, top, width, height] = place.box;
  return x >= left && x <= left + width && y >= top && y <= top + height;
}

function overlaps({ from = -Infinity, to = Infinity }: Partial<Span>, span: Span): boolean {
  return span.from <= to && span.to >= from;
}

function take<T>(
  { limit, keep }: Conditions,
  records: readonly T[],
  fits: (record: T) => boolean,
): readonly T[] {
  const found = records.filter(fits);
  if (limit === undefined || found.length <= limit) return found;
  return keep === 'newest' ? found.slice(found.length - limit) : found.slice(0, limit);
}

function wordsOfObject(object: ObjectHistory): ReadonlySet<string> {
  return wordsOf(objectPhrase(object));
}

function wordsOfEvent({ event }: EventObserved): ReadonlySet<string> {
  const names = event.participants.map(objectPhrase);
  return wordsOf(`${event.id} ${event.type} ${eventClause(event.type, names, event.zone, 'past')}`);
}
