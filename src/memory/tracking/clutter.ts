import { z } from 'zod';
import { iou, type Affine, type Box } from '../../core/maths/box.js';
import { moveBox } from './move-box.js';
import { savedBox, savedTime, saveTime } from '../state/saved-state.js';
import type { Sighting } from './sightings.js';

/** Maximum number of spots; the least frequent is discarded first. */
export const MAX_SPOTS = 256;
/** A detection belongs to a spot where their boxes overlap this much (IoU): clutter does not move. */
const SPOT_IOU = 0.5;
/** Memory of a spot, s: shadows and light change over minutes, not seconds. */
const MEMORY_S = 30;
/** Time before a spot counts as clutter, s: an object that stops for a moment is none. */
const WATCH_S = 3;
/** A place with weak detections in this share of the percepts is clutter. */
const CLUTTER_SHARE = 0.3;
/** Spots rarer than this are discarded. */
const FORGET_SHARE = 0.03;
/** A detection is distinct from clutter when its score exceeds the spot's mean by this many standard deviations */
const OUTSTANDING_SIGMAS = 3;
/** of at least this much. */
const MIN_SIGMA = 0.03;
/** Weight of the newest detection in a spot's box and score statistics. */
const SPOT_WEIGHT = 0.05;

const spotSchema = z.object({
  box: savedBox,
  mean: z.number(),
  variance: z.number(),
  since: z.number(),
  /** Faded counts of percepts with a detection and of all percepts since the spot was found. */
  hits: z.number(),
  percepts: z.number(),
  hitAt: z.number(),
});
type Spot = z.output<typeof spotSchema>;

export const savedClutter = z.object({ t: savedTime, spots: z.array(spotSchema).max(MAX_SPOTS) });

/**
 * A clutter map (Musicki & Evans, "Clutter map information for data association and track initialization", IEEE
 * Trans. AES 2004): places with recurring weak detections that never become an object (a lamp post, a sign). Tracks
 * that pass such a place must not be continued by it.
 */
export class ClutterMap {
  #spots: Spot[] = [];
  #t = -Infinity;
  /** Spots found for the sightings of the percept at hand; valid until spots move. */
  #found = new Map<Sighting, Spot | undefined>();

  get size(): number {
    return this.#spots.length;
  }

  /** True when the detection is usual at this place. */
  explains(sighting: Sighting): boolean {
    const spot = this.#spotOf(sighting);
    if (!spot || this.#t - spot.since < WATCH_S || spot.hits / spot.percepts < CLUTTER_SHARE) return false;
    const sigma = Math.max(Math.sqrt(spot.variance), MIN_SIGMA);
    return sighting.score < spot.mean + OUTSTANDING_SIGMAS * sigma;
  }

  /** Learns from the weak detections that continue no object. */
  learn(weak: readonly Sighting[], t: number): void {
    const keep = this.#t === -Infinity ? 1 : Math.exp(-(t - this.#t) / MEMORY_S);
    this.#t = t;
    for (const spot of this.#spots) {
      spot.hits *= keep;
      spot.percepts = spot.percepts * keep + 1;
    }
    const known = this.#spots.length;
    for (const sighting of weak) this.#add(sighting, t, known);
    this.#found.clear();
    this.#spots = this.#spots.filter(
      (spot) => t - spot.since < WATCH_S || spot.hits >= FORGET_SHARE * spot.percepts,
    );
    if (this.#spots.length <= MAX_SPOTS) return;
    this.#spots.sort((a, b) => b.hits / b.percepts - a.hits / a.percepts || a.since - b.since);
    this.#spots.length = MAX_SPOTS;
  }

  saveState(): z.input<typeof savedClutter> {
    return {
      t: saveTime(this.#t),
      spots: this.#spots.map((spot) => ({ ...spot, box: [...spot.box] })),
    };
  }

  restoreState({ t, spots }: z.output<typeof savedClutter>): void {
    this.#t = t;
    this.#spots = [...spots];
    this.#found.clear();
  }

  /** Applies a camera motion to the places. */
  move(camera: Affine): void {
    for (const spot of this.#spots) spot.box = moveBox(spot.box, camera);
    this.#found.clear();
  }

  /** Removes all spots: the scene changed. */
  clear(): void {
    this.#spots = [];
    this.#found.clear();
  }

  /** @param known number of spots before this percept: only later ones are searched again */
  #add(sighting: Sighting, t: number, known: number): void {
    const { box, score } = sighting;
    const spot = this.#spotOf(sighting) ?? this.#find(box, known);
    if (!spot) {
      this.#spots.push({ box, mean: score, variance: 0, since: t, hits: 1, percepts: 1, hitAt: t });
      return;
    }
    if (spot.hitAt < t) spot.hits += 1;
    spot.hitAt = t;
    const weight = Math.max(SPOT_WEIGHT, 1 / (spot.hits + 1));
    const off = score - spot.mean;
    spot.mean += weight * off;
    spot.variance = (1 - weight) * (spot.variance + weight * off * off);
    const mix = (k: 0 | 1 | 2 | 3): number => spot.box[k] + weight * (box[k] - spot.box[k]);
    spot.box = [mix(0), mix(1), mix(2), mix(3)];
  }

  #spotOf(sighting: Sighting): Spot | undefined {
    if (!this.#found.has(sighting)) this.#found.set(sighting, this.#find(sighting.box, 0));
    return this.#found.get(sighting);
  }

  #find(box: Box, from: number): Spot | undefined {
    let best: Spot | undefined;
    let max = SPOT_IOU;
    for (let k = from; k < this.#spots.length; k += 1) {
      const spot = this.#spots[k] as Spot;
      // An IoU of one half needs edges within one side of each other.
      if (Math.abs(spot.box[0] - box[0]) > box[2] || Math.abs(spot.box[1] - box[1]) > box[3]) continue;
      const overlap = iou(spot.box, box);
      if (overlap >= max) [best, max] = [spot, overlap];
    }
    return best;
  }
}
