import { z } from 'zod';
import type { Affine, Box, Point } from '../../core/maths/box.js';
import type { Mask } from '../../core/percept.js';
import type { TrackedObject } from '../../core/memory.js';
import { TIME_EPSILON, UNSEEN_S } from '../../core/ontology.js';
import { blend, Gallery, savedGallery } from './identity/gallery.js';
import { BoxFilter, savedFilter, type Jitter } from './filter/box-filter.js';
import { savedBox, savedPoint, savedEmbedding, saveEmbedding } from '../state/saved-state.js';
import { moveBox } from './move-box.js';
import { ANY_LABEL, LabelVotes, savedVotes } from './identity/label-votes.js';
import { CLEAR_VIEW, type Sighting } from './sightings.js';

/** A box of an object at an earlier time, px. */
export interface PastBox {
  readonly t: number;
  readonly box: Box;
}

/** An object as `Tracker.update` returns it. */
export interface Track extends TrackedObject {
  /**
   * First observation of the present unbroken segment, s: later than `firstSeen` when the object was unseen for ≥ 1.0
   * s.
   */
  readonly spanStart: number;
  /**
   * Boxes that became known only now, oldest first, all before now and not before `spanStart`: the boxes before the
   * identity was confirmed, or the boxes between the last observation and this one (they replace the predictions for
   * the hidden object). Returned once.
   */
  readonly backlog?: readonly PastBox[];
}

/** Share of the newest detection in the reported score. */
const SCORE_WEIGHT = 0.2;
/** Motion counts like a detection of which this share is covered. */
const MOTION_DOUBT = 0.3;
/** Minimum score of detections from which the appearance is learned. */
const CLEAR_SCORE = 0.5;
/** Share of the newest embedding in the mean (DeepSORT's successors use 0.1: StrongSORT, Du et al. 2023). */
const EMBEDDING_WEIGHT = 0.1;
/** Maximum number of other tracks with which a track may have been confused at once. */
const MAX_RIVALS = 4;
/** Maximum number of missed percepts kept for interpolation: somewhat more than one second at 60 fps. */
const MAX_MISSED = 128;

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
  left: z.boolean(),
  excused: z.number(),
  sampledAt: z.number(),
  lastBox: savedBox,
  lastVelocity: savedPoint,
  startBox: savedBox,
  box: savedBox,
  spread: z.number(),
  embedding: savedEmbedding.optional(),
  gallery: savedGallery,
  rivals: z.array(z.tuple([z.string(), z.number()])).max(MAX_RIVALS),
  recent: z.object({ embedding: savedEmbedding, count: z.number() }).optional(),
  filter: savedFilter,
  score: z.number(),
  votes: savedVotes,
  past: z.array(savedPast),
  missed: z.array(z.number()),
  backlog: z.array(savedPast),
});
export type SavedTrack = z.output<typeof savedTrack>;

/** A tentative or confirmed track; the tracker's own mutable record. */
export class TrackState {
  id: string | undefined;
  firstSeen: number;
  spanStart: number;
  lastSeen: number;
  /** Time of the last confident detection. */
  strongAt: number;
  /** Number of detections, and the sum of their scores. */
  hits = 0;
  evidence = 0;
  seen = true;
  /** True when the second detection lay farther from the first than overlap or a likely speed explain. */
  leapt = false;
  /** True when another object covered the object when it was last expected. */
  occluded = false;
  /** True when the object left the frame or the scene changed: its last place is no evidence for its return. */
  left = false;
  /** Time for which the scene was covered while the object was away, s. */
  excused = 0;
  /** Time of the last comparison of its appearance for calibration, s. */
  sampledAt = 0;
  /** Estimates at the last observation, px and px/s. */
  lastBox: Box;
  lastVelocity: Point = [0, 0];
  /** Estimate at the first observation of a track that is not yet confirmed, px. */
  startBox: Box;
  /** Estimate now, px. */
  box: Box;
  /** Outline in this percept. */
  mask: Mask | undefined;
  /** Mean of the embeddings so far, unit length; newer ones weigh more. */
  embedding: Float32Array | undefined;
  /** Appearances from times at which the object could not be confused with another. */
  gallery = new Gallery();
  /** Ids of objects that overlapped it so much that they may have swapped identities, with the last time, s. */
  readonly rivals = new Map<string, number>();
  /** Mean of the embeddings since the last such overlap, and their number. */
  recent: { readonly embedding: Float32Array; readonly count: number } | undefined;
  /** Uncertainty of the predicted centre as a fraction of the box scale. */
  spread = 0;
  #filter: BoxFilter;
  #score: number;
  #votes = new LabelVotes();
  #past: PastBox[] = [];
  #missed: number[] = [];
  #backlog: readonly PastBox[] = [];

  constructor(sighting: Sighting, t: number, jitter: Jitter) {
    this.firstSeen = this.spanStart = this.lastSeen = this.strongAt = t;
    this.#filter = new BoxFilter(sighting.box, sighting.score, t, jitter);
    this.box = this.lastBox = this.startBox = this.#filter.box;
    this.#score = sighting.score;
    this.sampledAt = t;
    this.#count(sighting);
    this.#learnAppearance(sighting, t);
    this.#past.push({ t, box: this.box });
  }

  get label(): string {
    return this.#votes.winner;
  }

  get velocity(): Point {
    return this.#filter.velocity;
  }

  /** Squared Mahalanobis distance of the detection's centre. */
  distance(sighting: Sighting): number {
    return this.#filter.distance(sighting.box, sighting.score);
  }

  predict(t: number): void {
    this.#filter.predict(t, !this.seen);
    this.box = this.#filter.box;
    this.spread = this.#filter.spread;
  }

  /** A detection supports the track at the time of the last prediction. */
  update(sighting: Sighting, t: number, highScore: number): void {
    const before: PastBox = { t: this.lastSeen, box: this.lastBox };
    this.#filter.correct({ ...sighting, covered: this.#doubtOf(sighting) });
    this.box = this.lastBox = this.#filter.box;
    this.lastVelocity = this.#filter.velocity;
    this.#score += SCORE_WEIGHT * (sighting.score - this.#score);
    this.#count(sighting);
    this.#learnAppearance(sighting, t);
    if (this.id === undefined) this.#past.push({ t, box: this.box });
    else if (isSplit(before.t, t)) this.spanStart = t;
    else this.#backlog = between(before, { t, box: this.box }, this.#missed);
    this.#missed = [];
    this.lastSeen = t;
    this.seen = true;
    this.occluded = false;
    if (sighting.score >= highScore && sighting.shared !== true) this.strongAt = t;
  }

  miss(t: number, width: number, height: number): void {
    this.seen = false;
    this.mask = undefined;
    this.#filter.clamp(width, height);
    this.box = this.#filter.box;
    if (this.#missed.length < MAX_MISSED) this.#missed.push(t);
  }

  /** The detector did not run: the object continues as predicted, without counting as observed. */
  coast(): void {
    this.mask = undefined;
  }

  confirm(id: string): void {
    this.id = id;
    this.#backlog = this.#past.filter(({ t }) => t < this.lastSeen);
    this.#past = [];
  }

  /** Takes over the identity of an earlier track that showed the same object. */
  adopt(old: TrackState): void {
    const start = this.#past[0];
    const filled =
      start && !isSplit(old.lastSeen, start.t)
        ? between({ t: old.lastSeen, box: old.lastBox }, start, old.#missed)
        : [];
    if (!isSplit(old.lastSeen, this.spanStart)) this.spanStart = old.spanStart;
    this.firstSeen = old.firstSeen;
    this.#votes.add(old.#votes);
    for (const [id, t] of old.rivals) this.rivals.set(id, t);
    // The object that reappeared may be the other one: its present appearance may not belong to this identity.
    if (this.rivals.size > 0 && this.embedding) {
      this.recent = { embedding: this.embedding, count: this.hits };
      this.gallery = old.gallery;
    } else this.gallery.adopt(old.gallery);
    this.confirm(old.id as string);
    this.#backlog = [...filled, ...this.#backlog];
  }

  /** The public record; `backlog` is returned once. */
  report(width: number, height: number): Track {
    const backlog = this.#backlog;
    this.#backlog = [];
    return {
      id: this.id as string,
      label: this.label,
      score: this.#score,
      box: clip(this.box, width, height),
      velocity: this.velocity,
      firstSeen: this.firstSeen,
      spanStart: this.spanStart,
      lastSeen: this.lastSeen,
      seen: this.seen,
      ...(this.mask && { mask: this.mask }),
      ...(this.embedding && { embedding: this.embedding }),
      ...(backlog.length > 0 && {
        backlog: backlog.map(({ t, box }) => ({ t, box: clip(box, width, height) })),
      }),
    };
  }

  /** The complete state without the mask, which is valid for one percept. */
  saveState(): z.input<typeof savedTrack> {
    const past = ({ t, box }: PastBox): z.input<typeof savedPast> => ({ t, box: [...box] });
    return {
      id: this.id,
      firstSeen: this.firstSeen,
      spanStart: this.spanStart,
      lastSeen: this.lastSeen,
      strongAt: this.strongAt,
      hits: this.hits,
      evidence: this.evidence,
      seen: this.seen,
      leapt: this.leapt,
      occluded: this.occluded,
      left: this.left,
      excused: this.excused,
      sampledAt: this.sampledAt,
      embedding: this.embedding && saveEmbedding(this.embedding),
      gallery: this.gallery.saveState(),
      rivals: [...this.rivals],
      recent: this.recent && { ...this.recent, embedding: saveEmbedding(this.recent.embedding) },
      lastBox: [...this.lastBox],
      lastVelocity: [...this.lastVelocity],
      startBox: [...this.startBox],
      box: [...this.box],
      spread: this.spread,
      filter: this.#filter.saveState(),
      score: this.#score,
      votes: this.#votes.saveState(),
      past: this.#past.map(past),
      missed: [...this.#missed],
      backlog: this.#backlog.map(past),
    };
  }

  static restore(saved: SavedTrack, jitter: Jitter): TrackState {
    const { filter, score, votes, past, missed, backlog, gallery, rivals, ...own } = saved;
    const track = new TrackState({ box: own.box, score, label: '', covered: 0 }, own.lastSeen, jitter);
    Object.assign(track, own);
    track.gallery = Gallery.restore(gallery);
    for (const [id, t] of rivals) track.rivals.set(id, t);
    track.#filter = BoxFilter.restore(filter, jitter);
    track.#votes = LabelVotes.restore(votes);
    track.#past = past;
    track.#missed = missed;
    track.#backlog = backlog;
    return track;
  }

  #learnAppearance({ mask, embedding, covered, score }: Sighting, t: number): void {
    this.mask = mask;
    if (!embedding) return;
    this.embedding =
      this.embedding?.length === embedding.length
        ? blend(this.embedding, embedding, EMBEDDING_WEIGHT)
        : embedding;
    if (covered > CLEAR_VIEW || score < CLEAR_SCORE) return;
    if (this.rivals.size === 0) this.gallery.add(embedding, t);
    else if (this.recent?.embedding.length === embedding.length) {
      const count = this.recent.count + 1;
      this.recent = { embedding: blend(this.recent.embedding, embedding, 1 / count), count };
    } else this.recent = { embedding, count: 1 };
  }

  /** The moving region of a named object (its limbs, its shadow too) is less precise than the detector's box. */
  #doubtOf({ origin, covered }: Sighting): number {
    const loose = origin === 'motion' && this.label !== ANY_LABEL;
    return loose ? Math.max(covered, MOTION_DOUBT) : covered;
  }

  /** Records that its box and another's overlap so much that they may swap identities unnoticed. */
  rival(id: string, t: number): void {
    this.recent = undefined;
    if (this.rivals.size < MAX_RIVALS || this.rivals.has(id)) this.rivals.set(id, t);
  }

  /** Ends a rivalry: the appearances since belong to this identity. */
  settle(id: string, t: number): void {
    this.rivals.delete(id);
    if (this.rivals.size > 0) return;
    if (this.recent) this.gallery.add(this.recent.embedding, t);
    this.recent = undefined;
  }

  /** Exchanges the identities of two tracks that swapped them unnoticed; place and motion stay. */
  exchange(other: TrackState): void {
    [this.id, other.id] = [other.id, this.id];
    [this.firstSeen, other.firstSeen] = [other.firstSeen, this.firstSeen];
    [this.spanStart, other.spanStart] = [other.spanStart, this.spanStart];
    [this.gallery, other.gallery] = [other.gallery, this.gallery];
    [this.embedding, other.embedding] = [
      this.recent?.embedding ?? other.embedding,
      other.recent?.embedding ?? this.embedding,
    ];
    [this.#votes, other.#votes] = [other.#votes, this.#votes];
  }

  /** Applies a camera motion. */
  move(camera: Affine): void {
    this.#filter.transform(camera);
    this.lastBox = moveBox(this.lastBox, camera);
    const [a, b, c, d] = camera;
    const [x, y] = this.lastVelocity;
    this.lastVelocity = [a * x + c * y, b * x + d * y];
    this.box = moveBox(this.box, camera);
  }

  #count({ label, score, labelScore }: Sighting): void {
    this.hits += 1;
    this.evidence += score;
    this.#votes.count(label, labelScore ?? score);
  }
}

/** True when the object counts as departed in between (events.md). */
function isSplit(lastSeen: number, t: number): boolean {
  return t - lastSeen >= UNSEEN_S - TIME_EPSILON;
}

/** Boxes on the straight line between two observations at the given times. */
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
