import { z } from 'zod';
import { boxCentre, type Box } from '../../core/box.js';
import { BORDER_BAND } from '../../core/ontology.js';
import { associate } from './association.js';
import { boxScale, type Jitter } from './box-filter.js';
import { savedTrack, TrackState } from './track.js';

/** Most identities remembered after their track ended; the oldest goes first. */
const MOST_LOST = 512;
/** An object may be away this long and still get its id back by place and motion alone, s. */
const REMEMBER_S = 3;
/** The same for one that went behind another object: it is known to be there still, s. */
const REMEMBER_OCCLUDED_S = 5;
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

export const savedLost = z.array(savedTrack).max(MOST_LOST);

/** Objects that are no longer returned, and the rule by which a new track is recognised as one of them. */
export class LostObjects {
  #lost: TrackState[] = [];

  get size(): number {
    return this.#lost.length;
  }

  add(track: TrackState): void {
    this.#lost.push(track);
    if (this.#lost.length > MOST_LOST) this.#lost.shift();
  }

  /** Forgets whoever has been away too long. */
  expire(t: number): void {
    this.#lost = this.#lost.filter((track) => t - track.lastSeen <= memory(track));
  }

  saveState(): z.input<typeof savedLost> {
    return this.#lost.map((track) => track.saveState());
  }

  restoreState(saved: z.output<typeof savedLost>, jitter: Jitter): void {
    this.#lost = saved.map((track) => TrackState.restore(track, jitter));
  }

  /**
   * Pairs new tracks with objects that were lost before they began, the remembered ones and `hidden` ones still in
   * view. What is recognised is no longer remembered.
   */
  recognise(fresh: readonly TrackState[], hidden: readonly TrackState[]): Map<TrackState, TrackState> {
    const { pairs } = associate(fresh, [...hidden, ...this.#lost], likeness);
    const found = new Map(pairs);
    const back = new Set(found.values());
    this.#lost = this.#lost.filter((track) => !back.has(track));
    return found;
  }
}

function memory(track: TrackState): number {
  return track.occluded ? REMEMBER_OCCLUDED_S : REMEMBER_S;
}

/** Likelihood (peak 1) that the new track is the lost object; 0 beyond the gate. */
function likeness(fresh: TrackState, lost: TrackState): number {
  const gap = fresh.spanStart - lost.lastSeen;
  if (gap <= 0 || gap > memory(lost) || fresh.label !== lost.label) return 0;
  const scale = boxScale(lost.lastBox);
  const start = boxCentre(fresh.startBox);
  const last = boxCentre(lost.lastBox);
  const reach = FADE * (1 - Math.exp(-gap / FADE));
  const [vx, vy] = lost.lastVelocity;
  const off = Math.hypot(start[0] - last[0] - reach * vx, start[1] - last[1] - reach * vy) / scale;
  const place = off / (PLACE_SPREAD + SPEED_SPREAD * gap);
  const size = Math.log(boxScale(fresh.startBox) / scale) / SIZE_SPREAD;
  if (off > PLACE_MOST || place > GATE_SIGMAS || Math.abs(size) > GATE_SIGMAS) return 0;
  return Math.exp(-(place * place + size * size) / 2);
}

/** What was last seen in the border band most likely left, and what begins there most likely came in. */
export function touchesBorder([x, y, w, h]: Box, width: number, height: number): boolean {
  const bandX = BORDER_BAND * width;
  const bandY = BORDER_BAND * height;
  return x < bandX || y < bandY || x + w > width - bandX || y + h > height - bandY;
}
