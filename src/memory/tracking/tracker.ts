import { z } from 'zod';
import type { Affine, Box } from '../../core/box.js';
import { PresageError } from '../../core/errors.js';
import { TIME_EPSILON, UNSEEN_S } from '../../core/ontology.js';
import type { Percept } from '../../core/stages.js';
import { associate, unambiguous, type Similarity } from './association.js';
import { createJitter, savedJitters } from './box-filter.js';
import { ClutterMap, savedClutter } from './clutter.js';
import { LostObjects, savedLost, touchesBorder } from './lost-objects.js';
import { resemblance, resemblesLast, resemblesLeap, resemblesWeakly } from './resemblance.js';
import { savedTime, saveTime } from './saved-state.js';
import { nesting, readSightings, type Sighting } from './sightings.js';
import { savedTrack, TrackState, type Track } from './track.js';

const probability = z.number().min(0).max(1);
const optionsSchema = z
  .object({
    /** Detections below are not looked at. */
    lowScore: probability.default(0.1),
    /** From here on a detection takes part in the first association. */
    highScore: probability.default(0.5),
    /** From here on an unclaimed detection begins a track. */
    birthScore: probability.default(0.6),
  })
  .refine((o) => o.lowScore <= o.highScore, 'lowScore must not exceed highScore');

/** Thresholds of detection scores, by default those of ByteTrack (Zhang et al., ECCV 2022). */
export type TrackerOptions = z.input<typeof optionsSchema>;

/** Most tracks at once, tentative ones included: ten times the busiest scene this is meant for. */
const MOST_LIVE = 512;
/** A track is confirmed by at least this many detections... */
const CONFIRM_HITS = 2;
/** ...or by this many when the second one lay far from the first... */
const CONFIRM_LEAP_HITS = 3;
/** ...whose scores sum up to this... */
const CONFIRM_EVIDENCE = 1.0;
/** ...over at least this time, s: at 60 fps a flicker of a few frames is not an object. */
const CONFIRM_S = 0.1;
/** An unconfirmed track that is unseen for longer than this was noise, s. */
const TENTATIVE_UNSEEN_S = 0.1;
/** A detection that overlaps another, claimed one by this share of the smaller begins no track: part or double. */
const BIRTH_NESTING = 0.9;
/** A hidden object counts as occluded when a seen one covers this share of the smaller box. */
const OCCLUSION_NESTING = 0.5;
/** Weak detections bridge an occlusion, they do not carry an object for longer than this without a strong one, s. */
const WEAK_S = 2;
/** After a silence this long nothing is predicted any more; identities are then recognised by place, s. */
const LONGEST_STEP_S = 2 * UNSEEN_S;
/** Similarity of a detection with score s counts (1 − share) + share · s: the better detection wins a tie. */
const SCORE_SHARE = 0.5;

const stateSchema = z.object({
  version: z.literal(1),
  jitter: savedJitters,
  lost: savedLost,
  clutter: savedClutter,
  live: z.array(savedTrack).max(MOST_LIVE),
  count: z.number().int().min(0),
  t: savedTime,
  size: z.tuple([z.number().positive(), z.number().positive()]).optional(),
});

/**
 * Follows objects through the percepts of one stream: two association stages (ByteTrack), prediction per coordinate
 * (see BoxFilter), recovery at the last sight (OC-SORT), identities that survive gaps (see LostObjects). Pure,
 * synchronous and deterministic; all times are media time.
 */
export class Tracker {
  readonly #options: z.output<typeof optionsSchema>;
  readonly #jitter = createJitter();
  readonly #lost = new LostObjects();
  readonly #clutter = new ClutterMap();
  #live: TrackState[] = [];
  #count = 0;
  #t = -Infinity;
  #size: readonly [width: number, height: number] | undefined;

  constructor(options: TrackerOptions = {}) {
    this.#options = optionsSchema.parse(options);
  }

  /**
   * Every confirmed object at the percept's time, in order of id: seen ones, and hidden ones until they have been
   * unseen for 1.0 s.
   *
   * @throws RangeError when `t` does not increase
   */
  update(percept: Percept): readonly Track[] {
    const { t, width, height } = percept;
    if (!(t > this.#t)) throw new RangeError(`percepts must come with increasing t: ${t} after ${this.#t}`);
    if (t - this.#t > LONGEST_STEP_S) this.interrupt(t);
    const motion = this.#resize(width, height) ?? percept.camera;
    this.#t = t;
    for (const track of this.#live) track.predict(t, motion);
    const sightings = readSightings(percept, this.#options.lowScore);
    const unclaimed = this.#associate(sightings, t);
    for (const track of this.#live) if (track.lastSeen < t) track.miss(t, width, height);
    this.#confirm(width, height);
    this.#retire(width, height);
    this.#begin(unclaimed, sightings, t);
    this.#lost.expire(t);
    return this.#live
      .filter((track) => track.id !== undefined)
      .map((track) => track.report(width, height))
      .sort((a, b) => idNumber(a.id) - idNumber(b.id));
  }

  /** The stream was lost: nothing is in view any more; identities are remembered as after any other gap. */
  interrupt(t: number): void {
    for (const track of this.#live) if (track.id !== undefined) this.#lost.add(track);
    this.#live = [];
    this.#lost.expire(t);
  }

  dump(): Readonly<Record<string, number>> {
    const confirmed = this.#live.filter((track) => track.id !== undefined);
    return {
      confirmed: confirmed.length,
      hidden: confirmed.filter((track) => !track.seen).length,
      tentative: this.#live.length - confirmed.length,
      remembered: this.#lost.size,
      clutter: this.#clutter.size,
      identities: this.#count,
      jitter: this.#jitter.centre.sigma,
    };
  }

  /** Everything, as plain JSON: a tracker that takes it back goes on exactly as this one. */
  saveState(): unknown {
    const state: z.input<typeof stateSchema> = {
      version: 1,
      jitter: { centre: this.#jitter.centre.saveState(), side: this.#jitter.side.saveState() },
      lost: this.#lost.saveState(),
      clutter: this.#clutter.saveState(),
      live: this.#live.map((track) => track.saveState()),
      count: this.#count,
      t: saveTime(this.#t),
      ...(this.#size && { size: [...this.#size] }),
    };
    return state;
  }

  /**
   * Replaces everything by what `saveState` gave; the options remain those of this tracker.
   *
   * @throws PresageError `storage_failed` for anything else; the tracker is then as before
   */
  restoreState(state: unknown): void {
    const parsed = stateSchema.safeParse(state);
    if (!parsed.success) {
      throw new PresageError('storage_failed', 'the saved tracks are not of the known form', {
        cause: parsed.error,
        hint: 'They are started afresh when the saved state of the stream is deleted.',
      });
    }
    const { jitter, lost, clutter, live, count, t, size } = parsed.data;
    this.#jitter.centre.restoreState(jitter.centre);
    this.#jitter.side.restoreState(jitter.side);
    this.#lost.restoreState(lost, this.#jitter);
    this.#clutter.restoreState(clutter);
    this.#live = live.map((track) => TrackState.restore(track, this.#jitter));
    this.#count = count;
    this.#t = t;
    this.#size = size;
  }

  /** A source that changes its size: the old picture scaled onto the new one. */
  #resize(width: number, height: number): Affine | undefined {
    const [oldWidth, oldHeight] = this.#size ?? [width, height];
    this.#size = [width, height];
    if (oldWidth === width && oldHeight === height) return undefined;
    return [width / oldWidth, 0, 0, height / oldHeight, 0, 0];
  }

  /** Joins detections to tracks and returns the confident ones that nobody claimed. */
  #associate(sightings: readonly Sighting[], t: number): readonly Sighting[] {
    const high = sightings.filter(({ score }) => score >= this.#options.highScore);
    const all = sightings.filter(({ score }) => score < this.#options.highScore);
    const low = all.filter((sighting) => !this.#clutter.explains(sighting));
    const confirmed = this.#live.filter(({ id }) => id !== undefined);
    const tentative = this.#live.filter(({ id }) => id === undefined);
    const join = (
      rows: readonly TrackState[],
      columns: readonly Sighting[],
      similarity: Similarity<TrackState, Sighting>,
    ): [TrackState[], Sighting[]] => {
      const result = associate(rows, columns, similarity);
      for (const [track, sighting] of result.pairs) {
        track.sight(sighting, t);
        if (sighting.score >= this.#options.highScore) track.strongAt = t;
      }
      return [[...result.rows], [...result.columns]];
    };
    const [missed, unclaimed] = join(confirmed, high, scored(resemblance));
    const [hidden, unmet] = join(
      missed.filter(({ seen }) => !seen),
      unclaimed,
      resemblesLast,
    );
    const justMissed = missed.filter(({ seen }) => seen);
    const bridged = [...justMissed, ...hidden].filter(({ strongAt }) => t - strongAt < WEAK_S);
    const [, weak] = join(bridged, low, scored(resemblesWeakly));
    const [young, free] = join(tentative, unmet, scored(resemblance));
    const [, noise] = join(young, weak, scored(resemblesWeakly));
    const known = all.filter((sighting) => !low.includes(sighting));
    this.#clutter.learn([...known, ...noise], t);
    return this.#leap(young, free, t);
  }

  /** New tracks so fast that no overlap joins them: taken where nothing else can be meant, but with more proof. */
  #leap(young: readonly TrackState[], free: readonly Sighting[], t: number): readonly Sighting[] {
    const lone = young.filter((track) => track.hits === 1 && track.lastSeen < t);
    const pairs = unambiguous(lone, free, (track, sighting) => resemblesLeap(track, sighting, t));
    for (const [track, sighting] of pairs) {
      track.sight(sighting, t);
      track.leapt = true;
    }
    const taken = new Set(pairs.map(([, sighting]) => sighting));
    return free.filter((sighting) => !taken.has(sighting));
  }

  /** Gives an identity, an old one where the object is recognised, to tracks with enough evidence. */
  #confirm(width: number, height: number): void {
    const fresh = this.#live.filter(
      (track) =>
        track.id === undefined &&
        track.hits >= (track.leapt ? CONFIRM_LEAP_HITS : CONFIRM_HITS) &&
        track.evidence >= CONFIRM_EVIDENCE - TIME_EPSILON &&
        track.lastSeen - track.spanStart >= CONFIRM_S - TIME_EPSILON,
    );
    if (fresh.length === 0) return;
    const inside = (box: Box): boolean => !touchesBorder(box, width, height);
    const hidden = this.#live.filter(
      (track) => track.id !== undefined && !track.seen && inside(track.lastBox),
    );
    const appeared = fresh.filter((track) => inside(track.startBox));
    const known = this.#lost.recognise(appeared, hidden);
    const replaced = new Set(known.values());
    for (const track of fresh) {
      const old = known.get(track);
      if (old) track.adopt(old);
      else track.confirm(`o${(this.#count += 1)}`);
    }
    this.#live = this.#live.filter((track) => !replaced.has(track));
  }

  /** Ends what has been unseen for too long; what did not leave through the border is remembered. */
  #retire(width: number, height: number): void {
    const seen = this.#live.filter((track) => track.seen);
    this.#live = this.#live.filter((track) => {
      if (track.seen) return true;
      const unseen = this.#t - track.lastSeen;
      if (track.id === undefined) return unseen <= TENTATIVE_UNSEEN_S + TIME_EPSILON;
      if (seen.some((other) => isBehind(track.box, other.box))) track.occluded = true;
      if (unseen < UNSEEN_S - TIME_EPSILON) return true;
      if (!touchesBorder(track.lastBox, width, height)) this.#lost.add(track);
      return false;
    });
  }

  #begin(unclaimed: readonly Sighting[], sightings: readonly Sighting[], t: number): void {
    const claimed = new Set(sightings);
    for (const sighting of unclaimed) claimed.delete(sighting);
    const others = [...claimed].filter(({ score }) => score >= this.#options.highScore);
    for (const sighting of unclaimed) {
      if (sighting.score < this.#options.birthScore || this.#live.length >= MOST_LIVE) continue;
      if (this.#clutter.explains(sighting)) continue;
      if (others.some(({ box }) => nesting(box, sighting.box) > BIRTH_NESTING)) continue;
      this.#live.push(new TrackState(sighting, t, this.#jitter));
    }
  }
}

function scored(similarity: Similarity<TrackState, Sighting>): Similarity<TrackState, Sighting> {
  return (track, sighting) => similarity(track, sighting) * (1 - SCORE_SHARE * (1 - sighting.score));
}

/** `o12` → 12 */
function idNumber(id: string): number {
  return Number(id.slice(1));
}

/** On a ground plane the one whose feet are lower in the picture is in front. */
function isBehind(hidden: Box, other: Box): boolean {
  return other[1] + other[3] > hidden[1] + hidden[3] && nesting(hidden, other) > OCCLUSION_NESTING;
}
