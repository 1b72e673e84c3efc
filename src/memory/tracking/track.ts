import { z } from 'zod';
import type { Affine, Box, Point } from '../../core/box.js';
import type { Mask, TrackedObject } from '../../core/stages.js';
import { TIME_EPSILON, UNSEEN_S } from '../../core/ontology.js';
import { BoxFilter, savedFilter, type Jitter } from './box-filter.js';
import { savedBox, savedPoint, savedToken, saveToken } from './saved-state.js';
import type { Sighting } from './sightings.js';

/** Where an object was at a time that has passed, px. */
export interface PastBox {
  readonly t: number;
  readonly box: Box;
}

/** An object as `Tracker.update` returns it. */
export interface Track extends TrackedObject {
  /** First sight of the present unbroken part: later than `firstSeen` when the object was unseen for ≥ 1.0 s, s. */
  readonly spanStart: number;
  /**
   * What became known only now, oldest first, all before now and not before `spanStart`: the boxes of the time before
   * the identity was confirmed, or the boxes between the last sight and this one (they replace what was predicted for
   * the hidden object). Given once.
   */
  readonly backlog?: readonly PastBox[];
}

/** Share of the newest detection in the reported score. */
const SCORE_WEIGHT = 0.2;
/** Share of the newest token in the mean (DeepSORT's successors use 0.1: StrongSORT, Du et al. 2023). */
const TOKEN_WEIGHT = 0.1;
/** Votes for a label fade with this factor per detection, so that a label can still change late in a long life. */
const VOTE_FADE = 0.98;
/** Most times of missed percepts kept for interpolation: one second at 60 fps and some. */
const MOST_MISSED = 128;

const savedPast = z.object({ t: z.number(), box: savedBox });

export const savedTrack = z.object({
  id: z.string().optional(),
  firstSeen: z.number(),
  spanStart: z.number(),
  lastSeen: z.number(),
  strongAt: z.number(),
  hits: z.number(),
  evidence: z.number(),
  seen: z.boolean(),
  leapt: z.boolean(),
  occluded: z.boolean(),
  lastBox: savedBox,
  lastVelocity: savedPoint,
  startBox: savedBox,
  box: savedBox,
  spread: z.number(),
  token: savedToken.optional(),
  filter: savedFilter,
  score: z.number(),
  votes: z.array(z.tuple([z.string(), z.number()])),
  label: z.string(),
  past: z.array(savedPast),
  missed: z.array(z.number()),
  backlog: z.array(savedPast),
});
export type SavedTrack = z.output<typeof savedTrack>;

/** A track in the making or confirmed; the tracker's own mutable record. */
export class TrackState {
  id: string | undefined;
  firstSeen: number;
  spanStart: number;
  lastSeen: number;
  /** Last sight by a confident detection. */
  strongAt: number;
  /** Detections so far, and the sum of their scores. */
  hits = 0;
  evidence = 0;
  seen = true;
  /** The second detection lay further from the first than overlap or a likely speed explain. */
  leapt = false;
  /** Something in front covered the object when it was last looked for. */
  occluded = false;
  /** Estimates at the last sight, px and px/s. */
  lastBox: Box;
  lastVelocity: Point = [0, 0];
  /** Estimate at the first sight of a track not yet confirmed, px. */
  startBox: Box;
  /** Estimate now, px. */
  box: Box;
  /** Outline in this percept. */
  mask: Mask | undefined;
  /** Mean of the tokens so far, unit length; newer ones weigh more. */
  token: Float32Array | undefined;
  /** Uncertainty of the predicted centre as a fraction of the box scale. */
  spread = 0;
  #filter: BoxFilter;
  #score: number;
  #votes: Map<string, number>;
  #label: string;
  #past: PastBox[] = [];
  #missed: number[] = [];
  #backlog: readonly PastBox[] = [];

  constructor(sighting: Sighting, t: number, jitter: Jitter) {
    this.firstSeen = this.spanStart = this.lastSeen = this.strongAt = t;
    this.#filter = new BoxFilter(sighting.box, sighting.score, t, jitter);
    this.box = this.lastBox = this.startBox = this.#filter.box;
    this.#score = sighting.score;
    this.#label = sighting.label;
    this.#votes = new Map();
    this.#count(sighting);
    this.#look(sighting);
    this.#past.push({ t, box: this.box });
  }

  get label(): string {
    return this.#label;
  }

  get velocity(): Point {
    return this.#filter.velocity;
  }

  /** Squared Mahalanobis distance of the detection's centre. */
  distance(sighting: Sighting): number {
    return this.#filter.distance(sighting.box, sighting.score);
  }

  predict(t: number, camera: Affine | undefined): void {
    if (camera) this.#filter.transform(camera);
    this.#filter.predict(t, !this.seen);
    this.box = this.#filter.box;
    this.spread = this.#filter.spread;
  }

  /** A detection supports the track at the time of the last prediction. */
  sight(sighting: Sighting, t: number): void {
    const before: PastBox = { t: this.lastSeen, box: this.lastBox };
    this.#filter.correct(sighting);
    this.box = this.lastBox = this.#filter.box;
    this.lastVelocity = this.#filter.velocity;
    this.#score += SCORE_WEIGHT * (sighting.score - this.#score);
    this.#count(sighting);
    this.#look(sighting);
    if (this.id === undefined) this.#past.push({ t, box: this.box });
    else if (isSplit(before.t, t)) this.spanStart = t;
    else this.#backlog = between(before, { t, box: this.box }, this.#missed);
    this.#missed = [];
    this.lastSeen = t;
    this.seen = true;
    this.occluded = false;
  }

  miss(t: number, width: number, height: number): void {
    this.seen = false;
    this.mask = undefined;
    this.#filter.clamp(width, height);
    this.box = this.#filter.box;
    if (this.#missed.length < MOST_MISSED) this.#missed.push(t);
  }

  confirm(id: string): void {
    this.id = id;
    this.#backlog = this.#past.filter(({ t }) => t < this.lastSeen);
    this.#past = [];
  }

  /** This track turns out to be the object of an earlier one: it takes over the identity. */
  adopt(old: TrackState): void {
    const start = this.#past[0];
    const filled =
      start && !isSplit(old.lastSeen, start.t)
        ? between({ t: old.lastSeen, box: old.lastBox }, start, old.#missed)
        : [];
    if (!isSplit(old.lastSeen, this.spanStart)) this.spanStart = old.spanStart;
    this.firstSeen = old.firstSeen;
    for (const [label, weight] of old.#votes) this.#votes.set(label, (this.#votes.get(label) ?? 0) + weight);
    this.#elect();
    this.confirm(old.id as string);
    this.#backlog = [...filled, ...this.#backlog];
  }

  /** The public view; `backlog` is handed out once. */
  report(width: number, height: number): Track {
    const backlog = this.#backlog;
    this.#backlog = [];
    return {
      id: this.id as string,
      label: this.#label,
      score: this.#score,
      box: clip(this.box, width, height),
      velocity: this.velocity,
      firstSeen: this.firstSeen,
      spanStart: this.spanStart,
      lastSeen: this.lastSeen,
      seen: this.seen,
      ...(this.mask && { mask: this.mask }),
      ...(this.token && { token: this.token }),
      ...(backlog.length > 0 && {
        backlog: backlog.map(({ t, box }) => ({ t, box: clip(box, width, height) })),
      }),
    };
  }

  /** Everything but the mask, which lives for one percept. */
  saveState(): z.input<typeof savedTrack> {
    const { id, firstSeen, spanStart, lastSeen, strongAt, hits, evidence, seen, leapt, occluded } = this;
    const past = ({ t, box }: PastBox): z.input<typeof savedPast> => ({ t, box: [...box] });
    return {
      ...{ firstSeen, spanStart, lastSeen, strongAt, hits, evidence, seen, leapt, occluded },
      ...(id !== undefined && { id }),
      ...(this.token && { token: saveToken(this.token) }),
      lastBox: [...this.lastBox],
      lastVelocity: [...this.lastVelocity],
      startBox: [...this.startBox],
      box: [...this.box],
      spread: this.spread,
      filter: this.#filter.saveState(),
      score: this.#score,
      votes: [...this.#votes],
      label: this.#label,
      past: this.#past.map(past),
      missed: [...this.#missed],
      backlog: this.#backlog.map(past),
    };
  }

  static restore(saved: SavedTrack, jitter: Jitter): TrackState {
    const { filter, score, votes, label, past, missed, backlog, id, token, ...own } = saved;
    const track = new TrackState({ box: own.box, score, label, covered: 0 }, own.lastSeen, jitter);
    Object.assign(track, own);
    track.id = id;
    track.token = token;
    track.#filter = BoxFilter.restore(filter, jitter);
    track.#votes = new Map(votes);
    track.#past = past;
    track.#missed = missed;
    track.#backlog = backlog;
    return track;
  }

  #look({ mask, token }: Sighting): void {
    this.mask = mask;
    if (token) this.token = this.token ? blend(this.token, token, TOKEN_WEIGHT) : token;
  }

  #count({ label, score }: Sighting): void {
    this.hits += 1;
    this.evidence += score;
    for (const [name, weight] of this.#votes) this.#votes.set(name, weight * VOTE_FADE);
    this.#votes.set(label, (this.#votes.get(label) ?? 0) + score);
    this.#elect();
  }

  #elect(): void {
    for (const [name, weight] of this.#votes) {
      if (weight > (this.#votes.get(this.#label) ?? 0)) this.#label = name;
    }
  }
}

/** (1 − weight) · a + weight · b, scaled to unit length. */
function blend(a: Float32Array, b: Float32Array, weight: number): Float32Array {
  const mixed = a.map((value, k) => (1 - weight) * value + weight * (b[k] ?? 0));
  const length = Math.hypot(...mixed) || 1;
  return mixed.map((value) => value / length);
}

/** True when the object counts as gone in between (events.md). */
function isSplit(lastSeen: number, t: number): boolean {
  return t - lastSeen >= UNSEEN_S - TIME_EPSILON;
}

/** Straight line between two sights at the given times. */
function between(from: PastBox, to: PastBox, times: readonly number[]): PastBox[] {
  return times
    .filter((t) => t > from.t && t < to.t)
    .map((t) => {
      const f = (t - from.t) / (to.t - from.t);
      const mix = (k: 0 | 1 | 2 | 3): number => from.box[k] * (1 - f) + to.box[k] * f;
      return { t, box: [mix(0), mix(1), mix(2), mix(3)] };
    });
}

/** The part of a box inside the frame, px; at least one px wide and high. */
function clip(box: Box, width: number, height: number): Box {
  const left = Math.min(Math.max(box[0], 0), width - 1);
  const top = Math.min(Math.max(box[1], 0), height - 1);
  const right = Math.min(Math.max(box[0] + box[2], left + 1), width);
  const bottom = Math.min(Math.max(box[1] + box[3], top + 1), height);
  return [left, top, right - left, bottom - top];
}
