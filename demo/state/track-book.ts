import type { ObjectState } from '../../src/core/messages.js';

/** One object where it was at the moment that is drawn. */
export interface DrawnObject extends ObjectState {
  /** How far the box was moved from where it was last told, as fractions of the frame: the mask moves along. */
  readonly shift: readonly [x: number, y: number];
}

export interface Scene {
  /** Media time, s. */
  readonly t: number;
  readonly objects: readonly DrawnObject[];
  /** From the nearest moment that was told, s: 0 when the picture and the objects are of the same frame. */
  readonly apart: number;
}

export interface TrailDot {
  readonly t: number;
  readonly x: number;
  readonly y: number;
}

interface Moment {
  readonly t: number;
  readonly objects: ReadonlyMap<string, ObjectState>;
}

/** How far back one can scrub, s. */
const KEPT_S = 90;
const MAX_MOMENTS = 2700;
/** Beyond the last moment that was told, objects go on as they did for this long, s. */
const MAX_AHEAD_S = 0.5;
/** Between two moments farther apart than this, nothing is made up, s. */
const MAX_GAP_S = 1.5;

/** Where every object was at any moment of the last minute: told about ten times a second, and in between by straight lines. */
export class TrackBook {
  readonly #moments: Moment[] = [];

  /** Media time of the newest moment; undefined before the first. */
  get newestT(): number | undefined {
    return this.#moments.at(-1)?.t;
  }

  get oldestT(): number | undefined {
    return this.#moments[0]?.t;
  }

  add(t: number, objects: readonly ObjectState[]): void {
    const newest = this.newestT;
    // A service that began anew has a time of its own.
    if (newest !== undefined && t < newest - 1) this.#moments.length = 0;
    else if (newest !== undefined && t <= newest) return;
    this.#moments.push({ t, objects: new Map(objects.map((object) => [object.id, object])) });
    while (this.#moments.length > MAX_MOMENTS || (this.oldestT ?? t) < t - KEPT_S) this.#moments.shift();
  }

  clear(): void {
    this.#moments.length = 0;
  }

  /** Everything at a media time. */
  at(t: number): Scene {
    const index = this.#indexAt(t);
    const before = this.#moments[index];
    const after = this.#moments[index + 1];
    if (!before)
      return { t, objects: after && after.t - t < 0.1 ? still(after) : [], apart: after ? after.t - t : 0 };
    const since = t - before.t;
    if (since < 1e-6) return { t, objects: still(before), apart: 0 };
    if (after && after.t - before.t <= MAX_GAP_S) {
      const part = since / (after.t - before.t);
      return { t, objects: between(before, after, part), apart: Math.min(since, after.t - t) };
    }
    if (since > MAX_AHEAD_S) return { t, objects: [], apart: since };
    return { t, objects: [...before.objects.values()].map((object) => ahead(object, since)), apart: since };
  }

  /** Where an object was in the seconds before a media time, oldest first: its middle, or its feet. */
  trail(id: string, t: number, seconds: number, upright: boolean): TrailDot[] {
    const dots: TrailDot[] = [];
    for (let index = this.#indexAt(t); index >= 0; index -= 1) {
      const moment = this.#moments[index];
      if (!moment || moment.t < t - seconds) break;
      const box = moment.objects.get(id)?.box;
      if (box) dots.push({ t: moment.t, x: box[0] + box[2] / 2, y: box[1] + box[3] * (upright ? 1 : 0.5) });
    }
    return dots.reverse();
  }

  /** Index of the last moment at or before a media time; -1 before the first. */
  #indexAt(t: number): number {
    let [low, high] = [0, this.#moments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#moments[middle]?.t ?? Infinity) <= t + 1e-6) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function still({ objects }: Moment): DrawnObject[] {
  return [...objects.values()].map((object) => ({ ...object, shift: [0, 0] }));
}

/** Who is in both moments lies between; who is only in the earlier one stays until the later. */
function between(before: Moment, after: Moment, part: number): DrawnObject[] {
  return [...before.objects.values()].map((object) => {
    const next = after.objects.get(object.id);
    if (!next) return ahead(object, part * (after.t - before.t));
    const mix = (from: number, to: number): number => from + (to - from) * part;
    const [a, b] = [object.box, next.box];
    const box: ObjectState['box'] = [mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2]), mix(a[3], b[3])];
    const nearest = part < 0.5 ? object : next;
    return { ...nearest, box, shift: shiftOf(nearest.box, box) };
  });
}

function ahead(object: ObjectState, seconds: number): DrawnObject {
  const [x, y, w, h] = object.box;
  const shift = [object.velocity[0] * seconds, object.velocity[1] * seconds] as const;
  return { ...object, box: [x + shift[0], y + shift[1], w, h], shift };
}

function shiftOf(from: ObjectState['box'], to: ObjectState['box']): [number, number] {
  return [to[0] + to[2] / 2 - from[0] - from[2] / 2, to[1] + to[3] / 2 - from[1] - from[3] / 2];
}
