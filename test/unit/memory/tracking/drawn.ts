import type { Box } from '../../../../src/core/maths/box.js';
import type { Percept } from '../../../../src/core/percept.js';
import { Tracker, type TrackerOptions } from '../../../../src/memory/tracking/tracker.js';
import type { Track } from '../../../../src/memory/tracking/track.js';

export const WIDTH = 1000;
export const HEIGHT = 500;

/** A detection in px of the 1000 × 500 frame. */
export interface Drawn {
  readonly box: Box;
  readonly score?: number;
  readonly label?: string;
  readonly origin?: 'detector' | 'motion';
  readonly embedding?: Float32Array;
}

export function percept(t: number, drawn: readonly Drawn[], more: Partial<Percept> = {}): Percept {
  return {
    index: Math.round(t * 100),
    t,
    receivedAtMs: 0,
    width: WIDTH,
    height: HEIGHT,
    inferenceMs: 0,
    detections: drawn.map(({ box: [x, y, w, h], score = 0.8, label = 'person', ...rest }) => ({
      label,
      score,
      box: [x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT],
      ...rest,
    })),
    ...more,
  };
}

/** The detections at a media time. */
export type Scene = (t: number) => readonly (Drawn | undefined)[];

export interface PlayOptions {
  readonly fps?: number;
  readonly from?: number;
  readonly to: number;
  readonly tracker?: Tracker;
  readonly options?: TrackerOptions;
  /** Further fields of the percept at a time. */
  readonly more?: (t: number) => Partial<Percept>;
}

export interface Played {
  readonly t: number;
  readonly tracks: readonly Track[];
}

/** Plays a scene through a tracker. */
export function play(
  scene: Scene,
  { fps = 10, from = 0, to, tracker, options, more }: PlayOptions,
): Played[] {
  const follower = tracker ?? new Tracker(options);
  const out: Played[] = [];
  for (let k = Math.round(from * fps); k <= Math.round(to * fps); k += 1) {
    const t = k / fps;
    const drawn = scene(t).filter((one) => one !== undefined);
    out.push({ t, tracks: follower.update(percept(t, drawn, more?.(t))) });
  }
  return out;
}

/** A box of 40 × 100 px by its bottom centre. */
export function person(x: number, feet = 300, more: Omit<Drawn, 'box'> = {}): Drawn {
  return { box: [x - 20, feet - 100, 40, 100], ...more };
}

/** Deterministic noise in −1…1 with about unit spread at the given time. */
export function wobble(t: number, seed: number): number {
  const x = Math.sin(t * 127.1 + seed * 311.7) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

export function ids(played: readonly Played[]): string[] {
  return [...new Set(played.flatMap(({ tracks }) => tracks.map(({ id }) => id)))];
}

/** The id of the visible track whose centre is nearest to x at the last moment. */
export function idAt(played: readonly Played[], x: number): string | undefined {
  const centre = ({ box }: Track): number => box[0] + box[2] / 2;
  const tracks = played.at(-1)?.tracks.filter(({ seen }) => seen) ?? [];
  return [...tracks].sort((a, b) => Math.abs(centre(a) - x) - Math.abs(centre(b) - x))[0]?.id;
}

const EMBEDDING_LENGTH = 32;

/** Independent normal numbers, reproducible (Box-Muller on a linear congruential generator). */
export function normals(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let k = 0; k < 8; k += 1) next();
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
}

/**
 * Embeddings of objects 0, 1, 2…: a fixed direction each, plus noise. With 32 dimensions the cosines of one object
 * are about 1 / (1 + noise²), those of different ones 0 ± 0.18.
 */
export function embeddings(noise: number, seed = 1): (who: number) => Float32Array {
  const normal = normals(1000 * seed + 7);
  const direction = (who: number): number[] => {
    const own = normals(31 * seed + 101 * (who + 1));
    return Array.from({ length: EMBEDDING_LENGTH }, own);
  };
  return (who) => {
    const values = direction(who).map((value) => value + noise * normal());
    const length = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / length);
  };
}
