import { z } from 'zod';
import type { Affine, Box } from '../../core/maths/box.js';
import { PresageError } from '../../core/errors.js';
import { TIME_EPSILON, UNSEEN_S, UPRIGHT_LABELS } from '../../core/ontology.js';
import type { Percept } from '../../core/percept.js';
import { Appearance, savedAppearance } from './identity/appearance.js';
import { createJitter, savedJitters } from './filter/box-filter.js';
import { commonShift } from './camera-motion.js';
import { ClutterMap, savedClutter } from './clutter.js';
import { FalseAlarms, savedAlarms } from './false-alarms.js';
import { calibrate, settleRivals } from './identity/identities.js';
import { LostObjects, savedLost, touchesBorder } from './identity/lost-objects.js';
import { match } from './matching.js';
import { splitMergedBoxes } from './merges.js';
import { Pace, savedPace } from './pace.js';
import { savedTime, saveTime } from '../state/saved-state.js';
import { ANY_LABEL } from './identity/label-votes.js';
import { inside, nesting, readSightings, type Sighting } from './sightings.js';
import { savedTrack, TrackState, type Track } from './track.js';

const probability = z.number().min(0).max(1);
const optionsSchema = z
  .object({
    /** Detections with lower scores are ignored. */
    lowScore: probability.default(0.1),
    /** Minimum score of detections in the first association. */
    highScore: probability.default(0.5),
    /** Minimum score of an unmatched detection that begins a track. */
    birthScore: probability.default(0.6),
    /** True when appearances (embeddings) affect identities; they are stored in memory in either case. */
    appearance: z.boolean().default(true),
  })
  .refine((o) => o.lowScore <= o.highScore, 'lowScore must not exceed highScore');

/** Thresholds of detection scores, by default those of ByteTrack (Zhang et al., ECCV 2022). */
export type TrackerOptions = z.input<typeof optionsSchema>;

/** Maximum number of tracks, tentative ones included: ten times the busiest scene this is meant for. */
const MAX_LIVE = 512;
/** Additional detections that a track needs when its second detection lay far from the first. */
const LEAP_HITS = 1;
/** Sum of scores that any track needs, */
const CONFIRM_EVIDENCE = 1.0;
/** over at least this time, s: at 60 fps a flicker of a few frames is not an object. */
const CONFIRM_S = 0.1;
/** An unconfirmed track that is unseen for longer than this was noise, s. */
const TENTATIVE_UNSEEN_S = 0.1;
/**
 * A detection that overlaps another, matched one by this share of the smaller begins no track: it is a part or a
 * duplicate.
 */
const BIRTH_NESTING = 0.9;
/** Motion of which this share lies in the place of a person or animal is a part of it. */
const PART_SHARE = 0.6;
/** A hidden object counts as occluded when a visible one covers this share of the smaller box. */
const OCCLUSION_NESTING = 0.5;

const count = z.number().int().min(0);
/** Counters since the stream began. */
const countsSchema = z.object({
  /** Identities assigned. */
  identities: count,
  /** New tracks recognised as earlier objects, by place and motion, and by appearance. */
  recognisedByPosition: count,
  recognisedByAppearance: count,
  /** Pairs that had swapped identities unnoticed and were corrected. */
  exchanged: count,
  /** Boxes that were shared by two objects. */
  shared: count,
  /** Camera motions detected from the tracks alone. */
  shifts: count,
});

const stateSchema = z.object({
  version: z.literal(1),
  jitter: savedJitters,
  appearance: savedAppearance,
  alarms: savedAlarms,
  pace: savedPace,
  lost: savedLost,
  clutter: savedClutter,
  live: z.array(savedTrack).max(MAX_LIVE),
  counts: countsSchema,
  t: savedTime,
  blindS: z.number().min(0),
  size: z.tuple([z.number().positive(), z.number().positive()]).optional(),
});

/**
 * Tracks objects through the percepts of one stream: association in stages (see `match`), prediction per coordinate
 * (see BoxFilter), shared boxes where objects merge, identities that survive gaps and returns (see LostObjects) and
 * swaps (see `settleRivals`). Pure, synchronous and deterministic; all times are media time.
 */
export class Tracker {
  readonly #options: z.output<typeof optionsSchema>;
  readonly #jitter = createJitter();
  readonly #appearance = new Appearance();
  readonly #alarms = new FalseAlarms();
  readonly #pace = new Pace();
  readonly #lost = new LostObjects();
  readonly #clutter = new ClutterMap();
  #counts: z.output<typeof countsSchema> = {
    identities: 0,
    recognisedByPosition: 0,
    recognisedByAppearance: 0,
    exchanged: 0,
    shared: 0,
    shifts: 0,
  };
  #live: TrackState[] = [];
  #t = -Infinity;
  /** Time for which the scene has been covered without a break, s. */
  #blindS = 0;
  #size: readonly [width: number, height: number] | undefined;

  constructor(options: TrackerOptions = {}) {
    this.#options = optionsSchema.parse(options);
  }

  /**
   * Every confirmed object at the percept's time, in order of id: visible ones, and hidden ones until they have been
   * unseen for 1.0 s. In a partial percept objects without a detection continue unchanged, for at most 1.0 s; while
   * the scene is covered all objects are hidden and nothing else changes.
   *
   * @throws {RangeError} when `t` does not increase
   */
  update(percept: Percept): readonly Track[] {
    const { t, width, height } = percept;
    if (!(t > this.#t)) throw new RangeError(`percepts must have increasing t: ${t} after ${this.#t}`);
    if (percept.scene === 'covered') return this.#wait(percept);
    if (percept.scene === 'changed') this.#leave(t);
    if (t - this.#t > this.#pace.longestStep) this.interrupt(t);
    this.#pace.learn(t - this.#t);
    this.#blindS = 0;
    const resized = this.#resize(width, height);
    this.#t = t;
    const sightings = readSightings(percept, this.#options.lowScore);
    this.#predict(sightings, resized ?? percept.camera, percept);
    const free = this.#associate(sightings, percept);
    for (const track of this.#live) if (track.lastSeen < t) this.#miss(track, percept);
    this.#counts.exchanged += settleRivals(this.#live, this.#appearance, t);
    this.#confirm(width, height);
    this.#retire(percept);
    this.#begin(free, sightings, t);
    this.#lost.expire(t, this.#pace.typical);
    return this.#report(width, height);
  }

  /** The stream was lost: no object is in view any more; identities are remembered as after any other gap. */
  interrupt(t: number): void {
    for (const track of this.#live) if (track.id !== undefined) this.#lost.add(track);
    this.#live = [];
    this.#lost.expire(t, this.#pace.typical);
  }

  continueAfter(number: number, leftOut: number): void {
    this.#counts.identities = Math.max(this.#counts.identities, number) + leftOut;
  }

  dump(): Readonly<Record<string, number>> {
    const confirmed = this.#live.filter((track) => track.id !== undefined);
    return {
      confirmed: confirmed.length,
      hidden: confirmed.filter((track) => !track.seen).length,
      tentative: this.#live.length - confirmed.length,
      remembered: this.#lost.size,
      clutter: this.#clutter.size,
      ...this.#counts,
      jitter: this.#jitter.centre.sigma,
      falseAlarms: this.#alarms.rate,
      appearanceSeparation: this.#appearance.separation,
    };
  }

  /** The complete state as plain JSON: a tracker that restores it continues identically. */
  saveState(): unknown {
    const state: z.input<typeof stateSchema> = {
      version: 1,
      jitter: { centre: this.#jitter.centre.saveState(), side: this.#jitter.side.saveState() },
      appearance: this.#appearance.saveState(),
      alarms: this.#alarms.saveState(),
      pace: this.#pace.saveState(),
      lost: this.#lost.saveState(),
      clutter: this.#clutter.saveState(),
      live: this.#live.map((track) => track.saveState()),
      counts: { ...this.#counts },
      t: saveTime(this.#t),
      blindS: this.#blindS,
      size: this.#size && [...this.#size],
    };
    return state;
  }

  /**
   * Replaces the state by one from `saveState`; the options remain. After an error the tracker is unchanged.
   *
   * @throws {PresageError} storage_failed — when the state is malformed
   */
  restoreState(state: unknown): void {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) {
      throw new PresageError('storage_failed', 'the saved tracks have an unknown form', {
        cause: parsed.error,
        hint: 'Delete the saved state of the stream to start with no tracks.',
      });
    }
    const { jitter, appearance, alarms, pace, lost, clutter, live, counts, t, blindS, size } = parsed.data;
    this.#jitter.centre.restoreState(jitter.centre);
    this.#jitter.side.restoreState(jitter.side);
    if (this.#options.appearance) this.#appearance.restoreState(appearance);
    this.#alarms.restoreState(alarms);
    this.#pace.restoreState(pace);
    this.#lost.restoreState(lost, this.#jitter);
    this.#clutter.restoreState(clutter);
    this.#live = live.map((track) => TrackState.restore(track, this.#jitter));
    this.#counts = counts;
    this.#t = t;
    this.#blindS = blindS;
    this.#size = size;
  }

  #report(width: number, height: number): readonly Track[] {
    return this.#live
      .filter((track) => track.id !== undefined)
      .map((track) => track.report(width, height))
      .sort((a, b) => idNumber(a.id) - idNumber(b.id));
  }

  /** Handles a covered scene: nothing is learned and no track ends, but after a while no object is in view any more. */
  #wait({ t, width, height }: Percept): readonly Track[] {
    const s = this.#t === -Infinity ? 0 : t - this.#t;
    this.#t = t;
    this.#blindS += s;
    this.#lost.excuse(s);
    for (const track of this.#live) track.miss(t, width, height);
    if (this.#blindS >= UNSEEN_S - TIME_EPSILON) this.interrupt(t);
    return this.#report(width, height);
  }

  /** Handles a change of scene: places are no longer evidence, appearances may be. */
  #leave(t: number): void {
    this.interrupt(t);
    this.#lost.leave();
    this.#lost.expire(t, this.#pace.typical);
    this.#clutter.clear();
  }

  /** Maps the old picture onto the new one when the source changes its size. */
  #resize(width: number, height: number): Affine | undefined {
    const [oldWidth, oldHeight] = this.#size ?? [width, height];
    this.#size = [width, height];
    if (oldWidth === width && oldHeight === height) return undefined;
    return [width / oldWidth, 0, 0, height / oldHeight, 0, 0];
  }

  /** @param camera motion of the picture; estimated from the tracks when undefined */
  #predict(sightings: readonly Sighting[], camera: Affine | undefined, { t, partial }: Percept): void {
    if (camera) this.#move(camera);
    for (const track of this.#live) track.predict(t);
    if (camera || partial === true) return;
    const confident = sightings.filter(({ score }) => score >= this.#options.highScore);
    const found = commonShift(this.#live, confident);
    if (!found) return;
    this.#counts.shifts += 1;
    this.#move(found);
  }

  #move(camera: Affine): void {
    for (const track of this.#live) track.move(camera);
    this.#lost.move(camera);
    this.#clutter.move(camera);
  }

  /** Joins detections to tracks and returns the unmatched confident ones. */
  #associate(sightings: readonly Sighting[], { t, width, height, partial }: Percept): readonly Sighting[] {
    const { highScore } = this.#options;
    const [clutter, appearance] = [this.#clutter, this.#appearance];
    const found = match({ tracks: this.#live, sightings, t, highScore, clutter, appearance });
    const pairs = splitMergedBoxes(found.pairs, found.missed, t);
    this.#counts.shared += pairs.length - found.pairs.length;
    if (this.#options.appearance) calibrate(pairs, appearance, t);
    for (const [track, sighting] of pairs) track.update(sighting, t, highScore);
    for (const [track, sighting] of found.leaps) {
      track.update(sighting, t, highScore);
      track.leapt = true;
    }
    if (partial === true) return found.free;
    clutter.learn(found.noise, t);
    const alarms = this.#live.filter(
      ({ id, hits, lastSeen }) => id === undefined && hits === 1 && lastSeen < t,
    );
    this.#alarms.learn(alarms, width, height);
    return found.free;
  }

  #miss(track: TrackState, { t, width, height, partial }: Percept): void {
    if (partial === true && track.seen && t - track.lastSeen < UNSEEN_S - TIME_EPSILON) track.coast();
    else track.miss(t, width, height);
  }

  /** Assigns an identity, an earlier one where the object is recognised, to tracks with enough evidence. */
  #confirm(width: number, height: number): void {
    const needed = this.#alarms.hitsNeeded;
    const fresh = this.#live.filter(
      (track) =>
        track.id === undefined &&
        track.hits >= (track.leapt ? needed + LEAP_HITS : needed) &&
        track.evidence >= CONFIRM_EVIDENCE - TIME_EPSILON &&
        track.lastSeen - track.spanStart >= CONFIRM_S - TIME_EPSILON,
    );
    if (fresh.length === 0) return;
    const within = (box: Box): boolean => !touchesBorder(box, width, height);
    const hidden = this.#live.filter(
      (track) => track.id !== undefined && !track.seen && within(track.lastBox),
    );
    const appeared = new Set(fresh.filter((track) => within(track.startBox)));
    const known = { appearance: this.#appearance, live: this.#live, pace: this.#pace.typical };
    const { byPlace, byAppearance } = this.#lost.recognise(fresh, appeared, hidden, known);
    this.#counts.recognisedByPosition += byPlace.size;
    this.#counts.recognisedByAppearance += byAppearance.size;
    const replaced = new Set(byPlace.values());
    for (const track of fresh) {
      const old = byPlace.get(track) ?? byAppearance.get(track);
      if (old) track.adopt(old);
      else track.confirm(`o${(this.#counts.identities += 1)}`);
    }
    this.#live = this.#live.filter((track) => !replaced.has(track));
  }

  /**
   * Ends tracks that have been unseen for too long; objects that left through the border are remembered by appearance
   * only.
   */
  #retire({ t, width, height, partial }: Percept): void {
    const seen = this.#live.filter((track) => track.seen);
    this.#live = this.#live.filter((track) => {
      const unseen = t - track.lastSeen;
      const patience = partial === true ? UNSEEN_S : TENTATIVE_UNSEEN_S;
      if (track.id === undefined) return unseen <= patience + TIME_EPSILON;
      if (track.seen) return true;
      if (seen.some((other) => isBehind(track.box, other.box))) track.occluded = true;
      if (unseen < UNSEEN_S - TIME_EPSILON) return true;
      track.left = touchesBorder(track.lastBox, width, height);
      this.#lost.add(track);
      return false;
    });
  }

  #begin(unclaimed: readonly Sighting[], sightings: readonly Sighting[], t: number): void {
    const claimed = new Set(sightings);
    for (const sighting of unclaimed) claimed.delete(sighting);
    const others = [...claimed].filter(({ score }) => score >= this.#options.highScore);
    const named = this.#live.filter(({ id, label }) => id !== undefined && label !== ANY_LABEL);
    for (const sighting of unclaimed) {
      if (sighting.score < this.#options.birthScore || this.#live.length >= MAX_LIVE) continue;
      if (this.#clutter.explains(sighting)) continue;
      if (sighting.label === ANY_LABEL && named.some((track) => isPartOf(sighting, track))) continue;
      if (others.some(({ box }) => nesting(box, sighting.box) > BIRTH_NESTING)) continue;
      this.#live.push(new TrackState(sighting, t, this.#jitter));
    }
  }
}

/** `o12` → 12 */
function idNumber(id: string): number {
  return Number(id.slice(1));
}

/** Motion within the place of a named object is its visible part behind another object, not an object of its own. */
function isPartOf({ box }: Sighting, track: TrackState): boolean {
  const smaller = box[2] * box[3] < track.box[2] * track.box[3];
  return smaller && inside(box, track.box) > PART_SHARE && UPRIGHT_LABELS.has(track.label);
}

/** On a ground plane the object whose feet are lower in the picture is in front. */
function isBehind(hidden: Box, other: Box): boolean {
  return other[1] + other[3] > hidden[1] + hidden[3] && nesting(hidden, other) > OCCLUSION_NESTING;
}
