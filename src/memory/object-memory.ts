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
  /** Most recent events that a snapshot shows, and for how long, s. */
  events: z.number().int().min(1).max(MAX_RECENT_EVENTS).default(500),
  eventsS: z.number().min(1).default(600),
  /** What all of memory may cost, MB (10⁶ bytes) by the size model. Least useful goes first. */
  budgetMb: z.number().min(8).max(65_536).default(64),
});

const MB = 1e6;

export type ObjectMemoryOptions = Omit<z.input<typeof optionsSchema>, 'places'> & {
  places?: Places;
  /** Tells contacts of things; without it the rule by boxes alone does. */
  contacts?: ContactModel | undefined;
};

/**
 * The memory of one stream: what is in view, what happened, what left, and where things happen. Bounded in every
 * dimension; see `dump`. Snapshots share what did not change with the ones before.
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
    this.#keepWithinBudget(t);
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

  /** Other zones and lines, from the next percept on. Nothing is forgotten. Throws a ZodError where they are not of their form. */
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

  /** What is held at present, for watching its bounds; `bytes` by the size model. */
  dump(): Readonly<Record<string, number>> {
    return dumpOf(this.#stores);
  }

  /** Everything, as plain JSON in named pieces: a memory that takes them back goes on exactly as this one. */
  saveState(): Readonly<Record<string, unknown>> {
    const ledger = new PieceLedger();
    savePieces(this.#stores, this.#options, ledger);
    return ledger.take().put;
  }

  /** What of `saveState` has changed since the last call; the first call gives everything. */
  saveChanges(): StateChanges {
    savePieces(this.#stores, this.#options, this.#ledger);
    return this.#ledger.take();
  }

  /**
   * Replaces everything by what `saveState` gave. Throws a PresageError (`storage_failed`) for anything else, for a
   * state of another version and for one of other settings (other zones and lines do no harm); the memory is then as before.
   */
  restoreState(state: unknown): void {
    this.#stores = restoredStores(state, this.#stores.tracker, this.#options);
    this.#ledger = new PieceLedger();
  }

  /**
   * Ids up to these numbers are not given again: those that a restored state does not know because they were told after
   * it was saved. `leftOut`: numbers of objects left out besides.
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
    // Another size is another picture: px of before mean nothing in it.
    if (roster.inView.size + roster.missing.size > 0) this.interrupt(t);
    clock.frame = { width, height };
    rules.setFrame(clock.frame);
  }

  #observe(track: MemoryTrack, t: number): void {
    const { roster, clock } = this.#stores;
    // A prediction of something that was not observed since it left, or since the camera was lost, is not in view.
    if (!track.seen && !track.backlog?.length && !roster.inView.has(track.id)) return;
    const object = roster.take(track);
    for (const past of track.backlog ?? []) this.#sight(object, past, track.score);
    if (track.seen) this.#sight(object, { t, box: track.box }, track.score);
    object.update(track, clock.frame);
  }

  #sight(object: RememberedObject, observation: BoxObservation, score: number): void {
    const { roster, rules } = this.#stores;
    if (
      object.segment &&
      observation.t - object.segment.last.t >= this.#patience(object.segment) - TIME_EPSILON
    )
      this.#endPart(object);
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

  #endPart(object: RememberedObject): void {
    if (object.segment) this.#stores.rules.end(object.segment, this.#find);
    this.#stores.roster.end(object);
  }

  #endUnseen(t: number): void {
    const gone: RememberedObject[] = [];
    for (const object of this.#stores.roster.inView.values()) {
      if (object.segment && t - object.segment.last.t < UNSEEN_S - TIME_EPSILON) continue;
      gone.push(object);
    }
    this.#stores.roster.depart(gone, t);
  }

  /** Ends the parts of what is missing, once nothing but its absence can explain that. */
  #endMissing(t: number): void {
    for (const object of this.#stores.roster.missing) {
      const { segment } = object;
      if (!segment || t - segment.last.t >= this.#patience(segment) - TIME_EPSILON) this.#endPart(object);
    }
  }

  #remember(told: readonly EventObserved[], t: number): void {
    const { statistics, histories, events, clock } = this.#stores;
    for (const observed of told) {
      statistics.count(observed.event.type, meanPosition(observed.event.participants));
      histories.note(observed);
      events.add(observed);
    }
    const first = clock.recent[0];
    if (told.length > 0 || (first && t - first.observedAt > this.#options.eventsS))
      clock.recent = recentEvents(events, t, this.#options);
  }

  /** Once a second of media time: ages what is past, and forgets what goes beyond the budget. */
  #keepWithinBudget(t: number): void {
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
    const { roster, scenes: clips, relations, statistics, clock } = this.#stores;
    return {
      t,
      width: clock.frame.width,
      height: clock.frame.height,
      objects: [...roster.inView.values()].map((object) => object.record()).sort(byId),
      departed: roster.departedView,
      events: clock.recent,
      scenes: clips.view(),
      relations: relations.shown(t),
      places: statistics.view(),
      zones: this.#options.places,
    };
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
