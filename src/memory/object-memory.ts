import { z } from 'zod';
import { boxPosition, type Point } from '../core/maths/box.js';
import type { EventObserved, Participant } from '../core/messages.js';
import { LOITER_S, SAMPLE_HZ, TIME_EPSILON, UNSEEN_S, UPRIGHT_LABELS } from '../core/ontology.js';
import type { Memory, MemoryUpdate, ObjectRecord, Places } from '../core/memory.js';
import type { StateChanges } from '../core/state.js';
import type { Percept } from '../core/percept.js';
import type { Episode, Records } from '../core/records/records.js';
import type { ContactModel } from './events/contact/contact-classifier.js';
import type { Finding } from './events/finding.js';
import { PieceLedger } from './state/state-pieces.js';
import { restoredStores, savePieces } from './memory-state.js';
import {
  bytesOf,
  createStores,
  dumpOf,
  MAX_RECENT_EVENTS,
  recentEvents,
  type MemoryStores,
} from './memory-stores.js';
import type { RememberedObject } from './object-record.js';
import type { MemoryTrack, ObjectTracker } from './object-tracker.js';
import { TrackSegment, type BoxObservation } from './track-segment.js';

/**
 * An object that the detector misses may still be there: behind a pole or another person it is hidden for a second or
 * two. On estimated tracks an object that was not on its way out counts as departed after this long, s; when it
 * returns earlier, its path in between is taken as straight.
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
   * `exact` for annotated or simulated tracks, to which the definitions apply literally; `estimated` for tracks of a
   * tracker, where the rules allow for noise and short misses of the detector.
   */
  tracks: z.enum(['estimated', 'exact']).default('estimated'),
  /** Maximum number of departed objects remembered, and for how long, s. */
  departed: z.number().int().min(0).default(100),
  departedS: z.number().min(0).default(300),
  /** Maximum number of recent events in a snapshot, and for how long, s. */
  events: z.number().int().min(1).max(MAX_RECENT_EVENTS).default(500),
  eventsS: z.number().min(1).default(600),
  /** Memory limit, MB (10⁶ bytes) by the size model. The least useful records are discarded first. */
  budgetMb: z.number().min(8).max(65_536).default(64),
});

const MB = 1e6;

export type ObjectMemoryOptions = Omit<z.input<typeof optionsSchema>, 'places'> & {
  places?: Places;
  /** Detects contacts between things; without it the rule by boxes alone does. */
  contacts?: ContactModel | undefined;
};

/**
 * The memory of one stream: objects in view, events, departed objects, and statistics of places. Bounded in every
 * dimension; see `dump`. Snapshots share unchanged parts with the snapshots before.
 */
export class ObjectMemory implements Memory {
  #options: z.output<typeof optionsSchema> & { readonly contacts: ContactModel | undefined };
  #stores: MemoryStores;
  #ledger = new PieceLedger();
  #findings: Finding[] = [];

  constructor(tracker: ObjectTracker, options: ObjectMemoryOptions = {}) {
    const { contacts, ...checked } = options;
    this.#options = { ...optionsSchema.parse(checked), contacts };
    this.#stores = createStores(tracker, this.#options);
  }

  update(percept: Percept): MemoryUpdate {
    const { t, width, height, sceneEmbedding } = percept;
    const { tracker, roster, rules, emitter, clock } = this.#stores;
    this.#resize(width, height, t);
    for (const track of tracker.update(percept)) this.#observe(track, t);
    this.#endUnseen(t);
    this.#endMissing(t);
    rules.advance(this.#find);
    const events = emitter.emit(this.#findings, t, clock.frame);
    this.#findings = [];
    if (sceneEmbedding) this.#stores.scenes.add({ t, embedding: sceneEmbedding });
    this.#remember(events, t);
    roster.forgetDeparted(t);
    clock.t = t;
    const episodes = this.#stores.episodes.step(events, t);
    this.#enforceBudget(t);
    return { snapshot: this.#snapshot(t), events, episodes };
  }

  interrupt(t: number): void {
    const { tracker, roster, rules, relations } = this.#stores;
    tracker.interrupt(t);
    rules.clear();
    relations.endAll(t);
    roster.depart([...roster.inView.values()], t);
    for (const object of [...roster.missing]) roster.end(object);
  }

  finish(t: number): readonly Episode[] {
    return this.#stores.episodes.finish(t);
  }

  get places(): Places {
    return this.#options.places;
  }

  /**
   * Replaces the zones and lines from the next percept on. All records stay.
   *
   * @throws {ZodError} when zones or lines are malformed
   */
  set places(places: Places) {
    this.#options = { ...this.#options, places: optionsSchema.shape.places.parse(places) };
    this.#stores.rules.places = this.#options.places;
  }

  records(): Records {
    const { histories, events, relations, episodes, clock } = this.#stores;
    return {
      objects: histories.records(),
      events: events.all(),
      relations: relations.records(clock.t),
      episodes: episodes.log.all(),
      places: this.#options.places,
    };
  }

  /** Current counts, to watch the bounds; `bytes` by the size model. */
  dump(): Readonly<Record<string, number>> {
    return dumpOf(this.#stores);
  }

  /** The complete state as plain JSON in named pieces: a memory that restores it continues identically. */
  saveState(): Readonly<Record<string, unknown>> {
    const ledger = new PieceLedger();
    savePieces(this.#stores, this.#options, ledger);
    return ledger.take().put;
  }

  /** The pieces of `saveState` that changed since the last call; the first call returns all. */
  saveChanges(): StateChanges {
    savePieces(this.#stores, this.#options, this.#ledger);
    return this.#ledger.take();
  }

  /**
   * Replaces the state by one from `saveState`. After an error the memory is unchanged.
   *
   * @throws {PresageError} storage_failed — when the state is malformed, of another version, or saved with other
   * settings (other zones and lines are allowed)
   */
  restoreState(state: unknown): void {
    this.#stores = restoredStores(state, this.#stores.tracker, this.#options);
    this.#ledger = new PieceLedger();
  }

  /**
   * Never assigns ids up to these numbers again: they may have been emitted after the restored state was saved.
   * `leftOut`: additional object numbers to skip.
   */
  continueAfter(given: { readonly objects: number; readonly events: number }, leftOut: number): void {
    const { emitter, tracker } = this.#stores;
    emitter.emitted = Math.max(emitter.emitted, given.events);
    tracker.continueAfter?.(given.objects, leftOut);
  }

  readonly #find = (finding: Finding): void => {
    this.#findings.push(finding);
  };

  #resize(width: number, height: number, t: number): void {
    const { roster, rules, clock } = this.#stores;
    if (width === clock.frame.width && height === clock.frame.height) return;
    // A frame of another size is another picture: earlier px coordinates have no meaning in it.
    if (roster.inView.size + roster.missing.size > 0) this.interrupt(t);
    clock.frame = { width, height };
    rules.setFrame(clock.frame);
  }

  #observe(track: MemoryTrack, t: number): void {
    const { roster, clock } = this.#stores;
    // A prediction of an object that was not observed since it left, or since the camera was lost, is not in view.
    if (!track.seen && !track.backlog?.length && !roster.inView.has(track.id)) return;
    const object = roster.take(track);
    for (const past of track.backlog ?? []) this.#addObservation(object, past, track.score);
    if (track.seen) this.#addObservation(object, { t, box: track.box }, track.score);
    object.update(track, clock.frame);
  }

  #addObservation(object: RememberedObject, observation: BoxObservation, score: number): void {
    const { roster, rules } = this.#stores;
    if (
      object.segment &&
      observation.t - object.segment.last.t >= this.#patience(object.segment) - TIME_EPSILON
    )
      this.#endSegment(object);
    const { segment } = object;
    roster.found(object);
    if (segment) {
      const from = segment.lastK + 1;
      rules.observe(segment, observation, score, this.#find);
      this.#expose(segment, from);
      return;
    }
    const begun = new TrackSegment(object.subject, observation, score, this.#options.tracks === 'exact');
    object.begin(begun);
    rules.begin(begun, this.#find);
    this.#expose(begun, begun.lastK);
  }

  #patience(segment: TrackSegment): number {
    return segment.exact || this.#stores.rules.hasLeft(segment) ? UNSEEN_S : MISSING_S;
  }

  #expose(segment: TrackSegment, from: number): void {
    const { statistics, clock } = this.#stores;
    const { width, height } = clock.frame;
    for (let k = from; k <= segment.lastK; k++) {
      const sample = segment.at(k);
      if (!sample) continue;
      const [x, y] = sample.position;
      statistics.expose([x / width, y / height], 1 / SAMPLE_HZ);
    }
  }

  #endSegment(object: RememberedObject): void {
    if (object.segment) this.#stores.rules.end(object.segment, this.#find);
    this.#stores.roster.end(object);
  }

  #endUnseen(t: number): void {
    const departing: RememberedObject[] = [];
    for (const object of this.#stores.roster.inView.values()) {
      if (object.segment && t - object.segment.last.t < UNSEEN_S - TIME_EPSILON) continue;
      departing.push(object);
    }
    this.#stores.roster.depart(departing, t);
  }

  /** Ends the segments of missing objects once only their departure can explain the absence. */
  #endMissing(t: number): void {
    for (const object of this.#stores.roster.missing) {
      const { segment } = object;
      if (!segment || t - segment.last.t >= this.#patience(segment) - TIME_EPSILON) this.#endSegment(object);
    }
  }

  #remember(emitted: readonly EventObserved[], t: number): void {
    const { statistics, histories, events, clock } = this.#stores;
    for (const observed of emitted) {
      statistics.count(observed.event.type, meanPosition(observed.event.participants));
      histories.note(observed);
      events.add(observed);
    }
    const first = clock.recent[0];
    if (emitted.length > 0 || (first && t - first.observedAt > this.#options.eventsS))
      clock.recent = recentEvents(events, t, this.#options);
  }

  /** Once a second of media time: thins old records and discards what exceeds the budget. */
  #enforceBudget(t: number): void {
    const { histories, roster, clock } = this.#stores;
    const second = Math.floor(t + TIME_EPSILON);
    if (second <= clock.second) return;
    clock.second = second;
    histories.age(t);
    const others = bytesOf(this.#stores) - histories.bytes;
    histories.shrink(this.#options.budgetMb * MB - others, t);
    roster.refresh();
  }

  #snapshot(t: number): MemoryUpdate['snapshot'] {
    const { roster, scenes, relations, statistics, clock } = this.#stores;
    return {
      t,
      width: clock.frame.width,
      height: clock.frame.height,
      objects: [...roster.inView.values()].map((object) => object.record()).sort(byId),
      departed: roster.departedView,
      events: clock.recent,
      scenes: scenes.view(),
      relations: relations.shown(t),
      places: statistics.view(),
      zones: this.#options.places,
    };
  }
}

/** Position of an event for the statistics: the mean position of its participants. */
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
