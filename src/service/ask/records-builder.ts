import type {
  EventObserved,
  Explanation,
  MessageData,
  Prediction,
  ResolvedPrediction,
} from '../../core/messages.js';
import type { Box } from '../../core/maths/box.js';
import type {
  Episode,
  ObjectHistory,
  Passage,
  Records,
  Relation,
  RelationKind,
  Span,
} from '../../core/records/records.js';
import type { Places, TrailPoint } from '../../core/memory.js';

/** The part of a message that is needed: drafts and lines of a file have it. */
export type RecordedMessage = {
  [K in Kinds]: { readonly kind: K; readonly mediatime: number; readonly data: MessageData<K> };
}[Kinds];
type Kinds =
  | 'objects.updated'
  | 'event.observed'
  | 'explanation.created'
  | 'prediction.created'
  | 'prediction.resolved'
  | 'summary.created';

/** Hidden for less than this, an object has been there all the time, s: as in memory. */
const HIDDEN_S = 3;
/** Between two points of a path, s. */
const PATH_STEP_S = 0.5;

interface Seen {
  readonly id: string;
  label: string;
  readonly spans: { from: number; to: number }[];
  readonly path: TrailPoint[];
  entered?: Passage;
  left?: Passage;
}

/** Turns the messages of a stream, in their order, into records that can be asked. */
export class RecordsBuilder {
  readonly #objects = new Map<string, Seen>();
  readonly #events: EventObserved[] = [];
  readonly #episodes: Episode[] = [];
  readonly #explanations = new Map<string, Explanation>();
  readonly #predictions = new Map<string, Prediction>();
  #now = 0;

  /** Media time of the newest message, s. */
  get now(): number {
    return this.#now;
  }

  add(message: RecordedMessage): void {
    this.#now = Math.max(this.#now, message.mediatime);
    switch (message.kind) {
      case 'objects.updated':
        for (const { id, label, box, state } of message.data.objects) {
          if (state !== 'hidden') this.#see(id, label, message.mediatime, box);
        }
        break;
      case 'event.observed':
        this.#note(message.data);
        break;
      case 'explanation.created':
        this.#explanations.set(message.data.explanation.of, message.data.explanation);
        break;
      case 'prediction.created':
        this.#predictions.set(message.data.prediction.id, message.data.prediction);
        break;
      case 'prediction.resolved':
        this.#resolve(message.data.prediction);
        break;
      case 'summary.created':
        this.#episodes.push(message.data);
        break;
    }
  }

  explanationOf(eventId: string): Explanation | undefined {
    return this.#explanations.get(eventId);
  }

  /** Predictions that were open when the messages ended, the likeliest first. */
  predictions(): readonly Prediction[] {
    return [...this.#predictions.values()].sort((x, y) => y.probability - x.probability);
  }

  records(places: Places): Records {
    const objects = [...this.#objects.values()].map(recordOf);
    return {
      objects: objects.sort(
        (x, y) => x.firstSeen - y.firstSeen || Number(x.id.slice(1)) - Number(y.id.slice(1)),
      ),
      events: [...this.#events].sort((x, y) => x.event.t - y.event.t),
      relations: this.#relations(),
      episodes: this.#episodes,
      places,
    };
  }

  #see(id: string, label: string, t: number, box: Box): void {
    const seen = this.#objects.get(id) ?? { id, label, spans: [], path: [] };
    this.#objects.set(id, seen);
    seen.label = label;
    const last = seen.spans.at(-1);
    if (last && t - last.to < HIDDEN_S) last.to = Math.max(last.to, t);
    else seen.spans.push({ from: t, to: t });
    const before = seen.path.at(-1);
    if (!before || t - before.t >= PATH_STEP_S * 0.99) seen.path.push({ t, box });
  }

  #note(observed: EventObserved): void {
    this.#events.push(observed);
    const { id, type, t, participants } = observed.event;
    for (const { id: object, label, box } of participants) {
      if (!this.#objects.has(object)) this.#see(object, label, t, box);
    }
    const seen = this.#objects.get(participants[0]?.id ?? '');
    if (!seen) return;
    if (type === 'enter' || type === 'appear') seen.entered ??= { event: id, t, type };
    if (type === 'exit' || type === 'disappear') seen.left = { event: id, t, type };
  }

  /** A prediction that the end of the recording left undecided stays open. */
  #resolve(prediction: ResolvedPrediction): void {
    const open = prediction.outcome === 'void' && prediction.window.to >= prediction.resolvedAt;
    if (!open) this.#predictions.delete(prediction.id);
  }

  /** Relations between two events: together from `meet` to `separate`, carried from `pick_up` to `put_down`. */
  #relations(): Relation[] {
    const relations: Relation[] = [];
    for (const [begin, end, kind] of LASTING) {
      const begun = new Map<string, { a: string; b: string; from: number }>();
      const close = (key: string, to: number, open: boolean): void => {
        const one = begun.get(key);
        if (one) relations.push({ kind, ...one, to, open });
        begun.delete(key);
      };
      for (const { event } of this.#events) {
        const [a, b] = event.participants.map(({ id }) => id);
        if (a === undefined || b === undefined) continue;
        const key = kind === 'near' ? [a, b].sort().join(' ') : `${a} ${b}`;
        if (event.type === begin && !begun.has(key)) begun.set(key, { a, b, from: event.t });
        if (event.type === end) close(key, event.t, false);
      }
      for (const key of [...begun.keys()]) close(key, this.#now, true);
    }
    return relations.sort((x, y) => x.from - y.from);
  }
}

const LASTING: readonly (readonly [begin: string, end: string, kind: RelationKind])[] = [
  ['meet', 'separate', 'near'],
  ['pick_up', 'put_down', 'carrying'],
];

function recordOf({ id, label, spans, path, entered, left }: Seen): ObjectHistory {
  const [first, last]: (Span | undefined)[] = [spans[0], spans.at(-1)];
  const gone = left && last && left.t >= last.from ? left : undefined;
  return {
    id,
    label,
    firstSeen: first?.from ?? 0,
    lastSeen: last?.to ?? 0,
    spans,
    ...(entered ? { entered } : {}),
    ...(gone ? { left: gone } : {}),
    path,
    keyframes: [],
  };
}
