import { z } from 'zod';
import type { Affine, Box, Point } from '../../core/maths/box.js';
import type { Mask } from '../../core/percept.js';
import type { TrackedObject } from '../../core/memory.js';
import { TIME_EPSILON, UNSEEN_S } from '../../core/ontology.js';
import { blend, Gallery, savedGallery } from './identity/gallery.js';
import { BoxFilter, savedFilter, type Jitter } from './filter/box-filter.js';
import { savedBox, savedPoint, savedEmbedding, saveEmbedding } from '../state/saved-state.js';
import { moveBox } from './camera-motion.js';
import { ANY_LABEL, LabelVotes, savedVotes } from './identity/label-votes.js';
import { CLEAR_VIEW, type Sighting } from './sightings.js';

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
/** Motion counts like a detection of which this share is covered. */
const MOTION_DOUBT = 0.3;
/** Scores from here on show an object well enough to learn its look. */
const CLEAR_SCORE = 0.5;
/** Share of the newest embedding in the mean (DeepSORT's successors use 0.1: StrongSORT, Du et al. 2023). */
const EMBEDDING_WEIGHT = 0.1;
/** Most others that a track may have been confused with at once. */
const MAX_RIVALS = 4;
/** Most times of missed percepts kept for interpolation: one second at 60 fps and some. */
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
  /** It went out of the picture, or the picture became another one: its last place tells nothing about its return. */
  left = false;
  /** How long nothing could be seen at all while it was away, s. */
  excused = 0;
  /** When its look was last compared for calibration, s. */
  sampledAt = 0;
  /** Estimates at the last sight, px and px/s. */
  lastBox: Box;
  lastVelocity: Point = [0, 0];
  /** Estimate at the first sight of a track not yet confirmed, px. */
  startBox: Box;
  /** Estimate now, px. */
  box: Box;
  /** Outline in this percept. */
  mask: Mask | undefined;
  /** Mean of the embeddings so far, unit length; newer ones weigh more. */
  embedding: Float32Array | undefined;
  /** How it looked while nobody else could be meant. */
  gallery = new Gallery();
  /** Ids of those it overlapped so much that they may have changed places, with the last time, s. */
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
    this.#look(sighting, t);
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
    this.#look(sighting, t);
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

  /** Nobody looked for it: it is believed to go on as it did, without counting as sighted. */
  coast(): void {
    this.mask = undefined;
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
    this.#votes.add(old.#votes);
    for (const [id, t] of old.rivals) this.rivals.set(id, t);
    // Whoever came out may be the other one: then what is seen now is not the look of this identity.
    if (this.rivals.size > 0 && this.embedding) {
      this.recent = { embedding: this.embedding, count: this.hits };
      this.gallery = old.gallery;
    } else this.gallery.adopt(old.gallery);
    this.confirm(old.id as string);
    this.#backlog = [...filled, ...this.#backlog];
  }

  /** The public view; `backlog` is handed out once. */
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

  /** Everything but the mask, which lives for one percept. */
  saveState(): z.input<typeof savedTrack> {
    const { id, firstSeen, spanStart, lastSeen, strongAt, hits, evidence, seen, leapt, occluded } = this;
    const { left, excused, sampledAt } = this;
    const past = ({ t, box }: PastBox): z.input<typeof savedPast> => ({ t, box: [...box] });
    return {
      ...{ firstSeen, spanStart, lastSeen, strongAt, hits, evidence, seen, leapt, occluded },
      ...{ left, excused, sampledAt },
      ...(id !== undefined && { id }),
      ...(this.embedding && { embedding: saveEmbedding(this.embedding) }),
      gallery: this.gallery.saveState(),
      rivals: [...this.rivals],
      ...(this.recent && { recent: { ...this.recent, embedding: saveEmbedding(this.recent.embedding) } }),
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

  #look({ mask, embedding, covered, score }: Sighting, t: number): void {
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

  /** What moves of a named object (its limbs, its shadow too) is a looser measure of it than the detector's box. */
  #doubtOf({ origin, covered }: Sighting): number {
    const loose = origin === 'motion' && this.label !== ANY_LABEL;
    return loose ? Math.max(covered, MOTION_DOUBT) : covered;
  }

  /** Its box and another's overlap so much that they may change places unnoticed. */
  rival(id: string, t: number): void {
    this.recent = undefined;
    if (this.rivals.size < MAX_RIVALS || this.rivals.has(id)) this.rivals.set(id, t);
  }

  /** It is settled who is who: what was seen since belongs to this identity. */
  settle(id: string, t: number): void {
    this.rivals.delete(id);
    if (this.rivals.size > 0) return;
    if (this.recent) this.gallery.add(this.recent.embedding, t);
    this.recent = undefined;
  }

  /** The two changed places unnoticed: each takes over who the other one was; place and motion stay. */
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

  /** The picture moved. */
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
