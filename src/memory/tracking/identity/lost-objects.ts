import { z } from 'zod';
import { boxCentre, type Affine, type Box } from '../../../core/maths/box.js';
import { BORDER_BAND } from '../../../core/ontology.js';
import type { Appearance } from './appearance.js';
import { associate } from '../association.js';
import { boxScale, type Jitter } from '../filter/box-filter.js';
import { compatible } from './label-votes.js';
import { savedTrack, TrackState } from '../track.js';

/** Maximum number of identities remembered after their track ended; the oldest is discarded first. */
const MAX_LOST = 256;
/** Maximum absence after which place and motion alone restore an identity, s. */
const REMEMBER_S = 3;
/** The same for an object that went behind another one and is therefore still there, s. */
const REMEMBER_OCCLUDED_S = 5;
/** In a slow stream: this many intervals between percepts. */
const REMEMBER_STEPS = 1.5;
/** The same by appearance, s. */
const REMEMBER_APPEARANCE_S = 600;
/**
 * Standard deviation of an object's distance from its expected place, box scales, initially and per second of
 * absence.
 */
const PLACE_SPREAD = 0.2;
const SPEED_SPREAD = 0.4;
/** Beyond this distance (box scales) place alone does not identify an object. */
const MAX_PLACE_OFFSET = 2.5;
/** Gate in standard deviations. */
const GATE_SIGMAS = 2;
/** Standard deviation of the logarithm of the size ratio: the same object has about the same size. */
const SIZE_SPREAD = 0.15;
/** Time constant with which the last velocity fades in the expected place, s. */
const FADE = 1;
/** Appearance evidence (natural logarithm) against the object at which place is overruled. */
const APPEARANCE_VETO = -3;
/** Prior probability that a new object is one of those remembered. */
const RETURN_CHANCE = 0.3;
/** Odds at which appearance alone restores an identity. */
const MIN_ODDS = 4;
/** Minimum lead (natural logarithm) in appearance over the next best candidate. */
const APPEARANCE_MARGIN = 1;

export const savedLost = z.array(savedTrack).max(MAX_LOST);

/** Context of a recognition. */
export interface Recognition {
  readonly appearance: Appearance;
  /** Tracks in view, including those with which a lost object may have swapped identities. */
  readonly live: readonly TrackState[];
  /** Usual time between percepts, s. */
  readonly pace: number;
}

/** Objects that the tracker no longer returns, and the rules by which a new track is recognised as one of them. */
export class LostObjects {
  #lost: TrackState[] = [];

  get size(): number {
    return this.#lost.length;
  }

  add(track: TrackState): void {
    track.excused = 0;
    this.#lost.push(track);
    if (this.#lost.length > MAX_LOST) this.#lost.shift();
  }

  /** Discards objects that have been away too long. */
  expire(t: number, pace: number): void {
    this.#lost = this.#lost.filter((track) => {
      const away = t - track.lastSeen - track.excused;
      if (track.gallery.size > 0) return away <= REMEMBER_APPEARANCE_S;
      return !track.left && away <= placeMemory(track, pace);
    });
  }

  /** Does not count the next `s` seconds as absence: the scene was covered. */
  excuse(s: number): void {
    for (const track of this.#lost) track.excused += s;
  }

  /** Applies a camera motion. */
  move(camera: Affine): void {
    for (const track of this.#lost) track.move(camera);
  }

  /** The scene changed: places are no longer evidence. */
  leave(): void {
    for (const track of this.#lost) track.left = true;
  }

  /**
   * Pairs new tracks with objects that were lost before they began, remembered ones and `hidden` ones still in view:
   * by place and motion, unless appearance clearly contradicts, else by appearance alone. Recognised objects are no
   * longer remembered.
   */
  recognise(
    fresh: readonly TrackState[],
    appeared: ReadonlySet<TrackState>,
    hidden: readonly TrackState[],
    known: Recognition,
  ): { readonly byPlace: Map<TrackState, TrackState>; readonly byAppearance: Map<TrackState, TrackState> } {
    const near = associate(
      fresh.filter((track) => appeared.has(track)),
      [...hidden, ...this.#lost.filter(({ left }) => !left)],
      (track, lost) => likeness(track, lost, known),
    );
    const byPlace = new Map(near.pairs);
    this.#forget(byPlace);
    const others = fresh.filter((track) => !byPlace.has(track));
    const alike = associate(others, this.#lost, this.#odds(others, known.appearance));
    const byAppearance = new Map(alike.pairs);
    this.#forget(byAppearance);
    return { byPlace, byAppearance };
  }

  #forget(found: ReadonlyMap<TrackState, TrackState>): void {
    if (found.size === 0) return;
    const back = new Set(found.values());
    this.#lost = this.#lost.filter((track) => !back.has(track));
  }

  /**
   * Odds by appearance that a new track is a lost object; 0 where they, or the lead over the next best, are too
   * small.
   */
  #odds(
    fresh: readonly TrackState[],
    appearance: Appearance,
  ): (track: TrackState, lost: TrackState) => number {
    const chance = RETURN_CHANCE / (1 + this.#lost.length);
    const evidences = new Map(fresh.map((track) => [track, this.#appearanceEvidence(track, appearance)]));
    return (track, lost) => {
      const evidence = evidences.get(track)?.get(lost);
      if (evidence === undefined || chance * Math.exp(evidence) < MIN_ODDS) return 0;
      for (const [other, value] of evidences.get(track) ?? [])
        if (other !== lost && value > evidence - APPEARANCE_MARGIN && outranks(other, lost)) return 0;
      return chance * Math.exp(evidence);
    };
  }

  #appearanceEvidence(track: TrackState, appearance: Appearance): Map<TrackState, number> {
    const found = new Map<TrackState, number>();
    if (!track.embedding || appearance.separation === 0) return found;
    for (const lost of this.#lost) {
      if (lost.gallery.size === 0 || !compatible(track.label, lost.label)) continue;
      if (track.spanStart <= lost.lastSeen) continue;
      found.set(lost, appearance.evidence(lost.gallery.cosine(track.embedding)));
    }
    return found;
  }

  saveState(): z.input<typeof savedLost> {
    return this.#lost.map((track) => track.saveState());
  }

  restoreState(saved: z.output<typeof savedLost>, jitter: Jitter): void {
    this.#lost = saved.map((track) => TrackState.restore(track, jitter));
  }
}

/**
 * True when another lost object of similar appearance prevents the recognition of the first. Two objects that were in
 * view at the same time are different and cannot be distinguished; otherwise they may be one object with two
 * identities: the later one is used.
 */
function outranks(other: TrackState, lost: TrackState): boolean {
  const together = other.firstSeen <= lost.lastSeen && lost.firstSeen <= other.lastSeen;
  return together || other.lastSeen > lost.lastSeen;
}

function placeMemory(track: TrackState, pace: number): number {
  return Math.max(track.occluded ? REMEMBER_OCCLUDED_S : REMEMBER_S, REMEMBER_STEPS * pace);
}

/** Likelihood (peak 1) by place and size that the new track is the lost object; 0 beyond the gate. */
function likeness(fresh: TrackState, lost: TrackState, { appearance, live, pace }: Recognition): number {
  const gap = fresh.spanStart - lost.lastSeen;
  if (gap <= 0 || gap - lost.excused > placeMemory(lost, pace)) return 0;
  if (!compatible(fresh.label, lost.label)) return 0;
  const scale = boxScale(lost.lastBox);
  const start = boxCentre(fresh.startBox);
  const last = boxCentre(lost.lastBox);
  const reach = FADE * (1 - Math.exp(-gap / FADE));
  const [vx, vy] = lost.lastVelocity;
  const off = Math.hypot(start[0] - last[0] - reach * vx, start[1] - last[1] - reach * vy) / scale;
  const place = off / (PLACE_SPREAD + SPEED_SPREAD * gap);
  const size = Math.log(boxScale(fresh.startBox) / scale) / SIZE_SPREAD;
  if (off > MAX_PLACE_OFFSET || place > GATE_SIGMAS || Math.abs(size) > GATE_SIGMAS) return 0;
  // An object that reappears may be the one that it went behind: `settleRivals` distinguishes them later.
  const candidates = [lost, ...live.filter(({ id }) => id !== undefined && lost.rivals.has(id))];
  const evidences = candidates.map(({ gallery }) => appearance.evidence(gallery.cosine(fresh.embedding)));
  const evidence = Math.max(...evidences);
  if (evidence < APPEARANCE_VETO) return 0;
  return Math.exp(-(place * place + size * size) / 2 + Math.min(evidence, -APPEARANCE_VETO));
}

/** True in the border band: an object last observed there most likely left, and one first observed there entered. */
export function touchesBorder([x, y, w, h]: Box, width: number, height: number): boolean {
  const bandX = BORDER_BAND * width;
  const bandY = BORDER_BAND * height;
  return x < bandX || y < bandY || x + w > width - bandX || y + h > height - bandY;
}
