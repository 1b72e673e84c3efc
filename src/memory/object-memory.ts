import { z } from 'zod';
import { boxPosition, type Point } from '../core/box.js';
import type { EventObserved, Participant } from '../core/messages.js';
import { LOITER_S, SAMPLE_HZ, TIME_EPSILON, UNSEEN_S, UPRIGHT_LABELS } from '../core/ontology.js';
import type { Memory, MemoryUpdate, ObjectRecord, Percept, Places, TrackedObject } from '../core/stages.js';
import type { ContactJudge } from './events/contact-classifier.js';
import { EventRules } from './events/event-rules.js';
import type { Finding } from './events/finding.js';
import type { FrameSize } from './events/sights.js';
import { EventTeller } from './event-teller.js';
import { RememberedObject } from './object-record.js';
import { PlaceCounter } from './place-statistics.js';
import { SampledPart, type Observation } from './sampled-part.js';

/**
 * What a detector does not see is not gone: behind a pole or another person it is hidden for a second or two. On
 * estimated tracks an object that was not on its way out counts as gone after this long, s; when it returns earlier
 * its path in between is taken as straight.
 */
const MISSING_S = 3;

const point = z.tuple([z.number(), z.number()]);
const optionsSchema = z.object({
  /** Zones (polygons of three corners or more) and lines in frame fractions. */
  places: z
    .object({
      zones: z.record(z.string(), z.array(point).min(3)),
      lines: z.record(z.string(), z.tuple([point, point])),
    })
    .default({ zones: {}, lines: {} }),
  /** Seconds within a small circle that make a `loiter`. */
  loiterS: z.number().min(1).max(600).default(LOITER_S),
  /**
   * Whether the tracks are annotated or simulated ones, to which the definitions apply by the letter, or estimates of a
   * tracker, where noise and short blindness of the detector are allowed for.
   */
  tracks: z.enum(['estimated', 'exact']).default('estimated'),
  /** Most departed objects remembered, and for how long, s. */
  departed: z.number().int().min(0).default(100),
  departedS: z.number().min(0).default(300),
  /** Most recent events remembered, and for how long, s. */
  events: z.number().int().min(1).default(500),
  eventsS: z.number().min(1).default(600),
});

export type ObjectMemoryOptions = Omit<z.input<typeof optionsSchema>, 'places'> & {
  places?: Places;
  /** Tells contacts of things; without it the rule by boxes alone does. */
  contacts?: ContactJudge | undefined;
};

/** A tracked object with the boxes (px) that became known only now, oldest first. */
export interface MemoryTrack extends TrackedObject {
  readonly backlog?: readonly Observation[];
}

/** Whatever turns percepts into tracked objects; see `tracking/tracker.ts`. */
export interface ObjectTracker {
  update(percept: Percept): readonly MemoryTrack[];
  interrupt(t: number): void;
  dump?(): Readonly<Record<string, number>>;
}

interface Departed {
  readonly object: RememberedObject;
  readonly record: ObjectRecord;
  readonly at: number;
}

/**
 * The memory of one stream: what is in view, what happened, what left, and where things happen. Bounded in every
 * dimension; see `dump`. Snapshots share what did not change with the ones before.
 */
export class ObjectMemory implements Memory {
  readonly #tracker: ObjectTracker;
  readonly #options: z.output<typeof optionsSchema>;
  readonly #places: Places;
  readonly #rules: EventRules;
  readonly #teller = new EventTeller();
  readonly #statistics = new PlaceCounter();
  #objects = new Map<string, RememberedObject>();
  #departed: readonly Departed[] = [];
  #departedView: readonly ObjectRecord[] = [];
  #events: readonly EventObserved[] = [];
  #frame: FrameSize = { width: 1, height: 1 };
  #findings: Finding[] = [];
  /** Objects not in view any more whose parts have not ended. */
  #missing = new Set<RememberedObject>();

  constructor(tracker: ObjectTracker, options: ObjectMemoryOptions = {}) {
    this.#tracker = tracker;
    const { contacts, ...checked } = options;
    this.#options = optionsSchema.parse(checked);
    this.#places = this.#options.places;
    this.#rules = new EventRules({ places: this.#places, loiterS: this.#options.loiterS, contacts });
  }

  update(percept: Percept): MemoryUpdate {
    const { t, width, height } = percept;
    this.#resize(width, height, t);
    for (const track of this.#tracker.update(percept)) this.#observe(track, t);
    this.#endUnseen(t);
    this.#endMissing(t);
    this.#rules.advance(this.#find);
    const events = this.#teller.tell(this.#findings, t, this.#frame);
    this.#findings = [];
    this.#remember(events, t);
    return { snapshot: this.#snapshot(t), events };
  }

  interrupt(t: number): void {
    this.#tracker.interrupt(t);
    this.#rules.clear();
    const lost = [...this.#objects.values()];
    this.#depart(lost, t);
    for (const object of [...lost, ...this.#missing]) object.end(this.#frame);
    this.#missing.clear();
  }

  /** What is held at present, for watching its bounds. */
  dump(): Readonly<Record<string, number>> {
    const objects = [...this.#objects.values()].map(({ counts }) => counts);
    const departed = this.#departed.map(({ object }) => object.counts);
    const total = (key: 'trail' | 'samples', of: typeof objects): number =>
      of.reduce((n, o) => n + o[key], 0);
    const tracker = Object.entries(this.#tracker.dump?.() ?? {});
    return {
      objects: objects.length,
      samples: total('samples', objects),
      trailPoints: total('trail', objects),
      departed: departed.length,
      departedSamples: total('samples', departed),
      departedTrailPoints: total('trail', departed),
      events: this.#events.length,
      ...this.#rules.counts,
      ...Object.fromEntries(tracker.map(([key, value]) => [`tracker.${key}`, value])),
    };
  }

  /** The place statistics as plain JSON. */
  saveState(): unknown {
    return this.#statistics.saveState();
  }

  /** Takes back what `saveState` gave. Throws a PresageError (`storage_failed`) for anything else. */
  restoreState(state: unknown): void {
    this.#statistics.restoreState(state);
  }

  readonly #find = (finding: Finding): void => {
    this.#findings.push(finding);
  };

  #resize(width: number, height: number, t: number): void {
    if (width === this.#frame.width && height === this.#frame.height) return;
    // Another size is another picture: px of before mean nothing in it.
    if (this.#objects.size + this.#missing.size > 0) this.interrupt(t);
    this.#frame = { width, height };
    this.#rules.setFrame(this.#frame);
  }

  #observe(track: MemoryTrack, t: number): void {
    // A prediction of something that was not observed since it left, or since the camera was lost, is not in view.
    if (!track.seen && !track.backlog?.length && !this.#objects.has(track.id)) return;
    const object = this.#objectOf(track);
    for (const past of track.backlog ?? []) this.#sight(object, past, track.score);
    if (track.seen) this.#sight(object, { t, box: track.box }, track.score);
    object.update(track, this.#frame);
  }

  /** The remembered object of a track; one that had departed comes back with its history. */
  #objectOf(track: MemoryTrack): RememberedObject {
    const known = this.#objects.get(track.id);
    if (known) return known;
    const returned = this.#departed.find(({ object }) => object.subject.id === track.id);
    if (returned) this.#setDepartures(this.#departed.filter((other) => other !== returned));
    const missing = [...this.#missing].find(({ subject }) => subject.id === track.id);
    const object = returned?.object ?? missing ?? new RememberedObject(track);
    this.#objects.set(track.id, object);
    return object;
  }

  #sight(object: RememberedObject, observation: Observation, score: number): void {
    if (object.part && observation.t - object.part.last.t >= this.#patience(object.part) - TIME_EPSILON)
      this.#endPart(object);
    const { part } = object;
    this.#missing.delete(object);
    if (part) {
      const from = part.lastK + 1;
      this.#rules.observe(part, observation, score, this.#find);
      this.#expose(part, from);
      return;
    }
    const begun = new SampledPart(object.subject, observation, score, this.#options.tracks === 'exact');
    object.begin(begun);
    this.#rules.begin(begun, this.#find);
    this.#expose(begun, begun.lastK);
  }

  #patience(part: SampledPart): number {
    return part.exact || this.#rules.hasLeft(part) ? UNSEEN_S : MISSING_S;
  }

  #expose(part: SampledPart, from: number): void {
    for (let k = from; k <= part.lastK; k++) {
      const sample = part.at(k);
      if (sample) this.#statistics.expose(this.#fractions(sample.position), 1 / SAMPLE_HZ);
    }
  }

  #endPart(object: RememberedObject): void {
    if (object.part) this.#rules.end(object.part, this.#find);
    object.end(this.#frame);
    this.#missing.delete(object);
  }

  #endUnseen(t: number): void {
    const gone: RememberedObject[] = [];
    for (const object of this.#objects.values()) {
      if (object.part && t - object.part.last.t < UNSEEN_S - TIME_EPSILON) continue;
      gone.push(object);
    }
    if (gone.length === 0) return;
    this.#depart(gone, t);
    for (const object of gone) this.#missing.add(object);
  }

  /** Ends the parts of what is missing, once nothing but its absence can explain that. */
  #endMissing(t: number): void {
    for (const object of this.#missing) {
      const { part } = object;
      if (!part || t - part.last.t >= this.#patience(part) - TIME_EPSILON) this.#endPart(object);
    }
  }

  /** Moves objects from view to the departed. */
  #depart(objects: readonly RememberedObject[], t: number): void {
    if (objects.length === 0) return;
    const departed = objects.map((object) => {
      const record = object.record(this.#frame);
      this.#objects.delete(object.subject.id);
      return { object, record: { ...record, state: 'hidden' as const }, at: t };
    });
    const known = departed.filter(({ record }) => record.samples.length > 0);
    this.#setDepartures([...this.#departed, ...known]);
  }

  #setDepartures(departed: readonly Departed[]): void {
    const most = this.#options.departed;
    this.#departed = departed.slice(Math.max(0, departed.length - most));
    this.#departedView = this.#departed.map(({ record }) => record);
  }

  #remember(events: readonly EventObserved[], t: number): void {
    for (const { event } of events) {
      this.#statistics.count(event.type, meanPosition(event.participants));
    }
    const { departedS, eventsS, events: most } = this.#options;
    const oldest = this.#departed[0];
    if (oldest && t - oldest.at > departedS) {
      this.#setDepartures(this.#departed.filter(({ at }) => t - at <= departedS));
    }
    const first = this.#events[0];
    if (events.length === 0 && !(first && t - first.observedAt > eventsS)) return;
    const kept = [...this.#events, ...events].filter(({ observedAt }) => t - observedAt <= eventsS);
    this.#events = kept.slice(Math.max(0, kept.length - most));
  }

  #snapshot(t: number): MemoryUpdate['snapshot'] {
    return {
      t,
      width: this.#frame.width,
      height: this.#frame.height,
      objects: [...this.#objects.values()].map((object) => object.record(this.#frame)).sort(byId),
      departed: this.#departedView,
      events: this.#events,
      places: this.#statistics.view(),
      zones: this.#places,
    };
  }

  #fractions([x, y]: Point): Point {
    return [x / this.#frame.width, y / this.#frame.height];
  }
}

/** Where an event happened, for the statistics: between the positions of its participants. */
function meanPosition(participants: readonly Participant[]): Point {
  let [x, y] = [0, 0];
  for (const { box, label } of participants) {
    const position = boxPosition(box, UPRIGHT_LABELS.has(label));
    x += position[0] / participants.length;
    y += position[1] / participants.length;
  }
  return [x, y];
}

/** `o2` before `o10`. */
function byId(a: ObjectRecord, b: ObjectRecord): number {
  return a.id.length - b.id.length || (a.id < b.id ? -1 : 1);
}
