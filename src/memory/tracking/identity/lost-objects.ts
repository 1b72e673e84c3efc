import { z } from 'zod';
import { boxCentre, type Affine, type Box } from '../../../core/maths/box.js';
import { BORDER_BAND } from '../../../core/ontology.js';
import type { Appearance } from './appearance.js';
import { associate } from '../association.js';
import { boxScale, type Jitter } from '../filter/box-filter.js';
import { compatible } from './label-votes.js';
import { savedTrack, TrackState } from '../track.js';

/** Most identities remembered after their track ended; the oldest goes first. */
const MAX_LOST = 256;
/** An object may be away this long and still get its id back by place and motion alone, s. */
const REMEMBER_S = 3;
/** The same for one that went behind another object: it is known to be there still, s. */
const REMEMBER_OCCLUDED_S = 5;
/** In a slow stream: this many intervals between percepts. */
const REMEMBER_STEPS = 1.5;
/** The same by its look, s. */
const REMEMBER_APPEARANCE_S = 600;
/** How far (standard deviation, box scales) an object may be from where it was expected, at once and per second away. */
const PLACE_SPREAD = 0.2;
const SPEED_SPREAD = 0.4;
/** Further than this (box scales) nobody can be told from a stranger without looking at him. */
const PLACE_MOST = 2.5;
/** Gate in standard deviations. */
const GATE_SIGMAS = 2;
/** Standard deviation of the logarithm of the size ratio: the same object has about the same size. */
const SIZE_SPREAD = 0.15;
/** The expected place: the last velocity fades with this time constant, s. */
const FADE = 1;
/** Looks that speak this much (natural logarithm) against the object outweigh its place. */
const APPEARANCE_VETO = -3;
/** Chance that whoever appears is one of those remembered, before looking. */
const RETURN_CHANCE = 0.3;
/** Odds at which a look alone tells an identity. */
const MIN_ODDS = 4;
/** The look of the next best must be this much (natural logarithm) less likely. */
const APPEARANCE_MARGIN = 1;

export const savedLost = z.array(savedTrack).max(MAX_LOST);

/** What is known at the moment of recognition. */
export interface Recognition {
  readonly appearance: Appearance;
  /** Tracks in view, among them those that a lost object may have changed places with. */
  readonly live: readonly TrackState[];
  /** Usual time between percepts, s. */
  readonly pace: number;
}

/** Objects that are no longer returned, and the rules by which a new track is recognised as one of them. */
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

  /** Forgets whoever has been away too long. */
  expire(t: number, pace: number): void {
    this.#lost = this.#lost.filter((track) => {
      const away = t - track.lastSeen - track.excused;
      if (track.gallery.size > 0) return away <= REMEMBER_APPEARANCE_S;
      return !track.left && away <= placeMemory(track, pace);
    });
  }

  /** Nothing could be seen for `s` seconds: they do not count as away. */
  excuse(s: number): void {
    for (const track of this.#lost) track.excused += s;
  }

  /** The camera moved. */
  move(camera: Affine): void {
    for (const track of this.#lost) track.move(camera);
  }

  /** The picture is another one: places tell nothing any more. */
  leave(): void {
    for (const track of this.#lost) track.left = true;
  }

  /**
   * Pairs new tracks with objects that were lost before they began, the remembered ones and `hidden` ones still in view:
   * by place and motion, which a clearly other look can veto, else by look alone. What is recognised is no longer
   * remembered.
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

  /** Odds that a new track is a lost object by its look; 0 where they, or the margin to the next best, are too small. */
  #odds(
    fresh: readonly TrackState[],
    appearance: Appearance,
  ): (track: TrackState, lost: TrackState) => number {
    const chance = RETURN_CHANCE / (1 + this.#lost.length);
    const looks = new Map(fresh.map((track) => [track, this.#looks(track, appearance)]));
    return (track, lost) => {
      const evidence = looks.get(track)?.get(lost);
      if (evidence === undefined || chance * Math.exp(evidence) < MIN_ODDS) return 0;
      for (const [other, value] of looks.get(track) ?? [])
        if (other !== lost && value > evidence - APPEARANCE_MARGIN && outranks(other, lost)) return 0;
      return chance * Math.exp(evidence);
    };
  }

  #looks(track: TrackState, appearance: Appearance): Map<TrackState, number> {
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
 * Whether another lost object that looks as much like the new track stands in the way of the first. Two that were in view at the
 * same time are different and cannot be told apart; else they may be one with two identities: the later one holds.
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
  if (off > PLACE_MOST || place > GATE_SIGMAS || Math.abs(size) > GATE_SIGMAS) return 0;
  // Whoever comes out from behind may be the one it went behind: they are told apart later.
  const candidates = [lost, ...live.filter(({ id }) => id !== undefined && lost.rivals.has(id))];
  const looks = candidates.map(({ gallery }) => appearance.evidence(gallery.cosine(fresh.embedding)));
  const evidence = Math.max(...looks);
  if (evidence < APPEARANCE_VETO) return 0;
  return Math.exp(-(place * place + size * size) / 2 + Math.min(evidence, -APPEARANCE_VETO));
}

/** What was last seen in the border band most likely left, and what begins there most likely came in. */
export function touchesBorder([x, y, w, h]: Box, width: number, height: number): boolean {
  const bandX = BORDER_BAND * width;
  const bandY = BORDER_BAND * height;
  return x < bandX || y < bandY || x + w > width - bandX || y + h > height - bandY;
}
