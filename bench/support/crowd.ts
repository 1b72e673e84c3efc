import type { Detection, Percept } from '../../src/core/percept.js';

/** Percepts per second of media time. */
export const CROWD_FPS = 10;
const [WIDTH_PX, HEIGHT_PX] = [1920, 1080];
/** Noise of a detector, as a share of the box's height. */
export const NOISE = 0.02;
/** Share of the sights that the detector misses. */
export const MISSED = 0.05;

interface Walker {
  x: number;
  y: number;
  vx: number;
  vy: number;
  readonly height: number;
}

/** People who walk straight and turn around at the edges of the picture, seen by a detector that errs a little. */
export class Crowd {
  readonly #random = randomFrom(1);
  readonly #walkers: readonly Walker[];

  constructor(count: number) {
    const random = this.#random;
    this.#walkers = Array.from({ length: count }, () => {
      const [speed, heading] = [0.3 + random(), 2 * Math.PI * random()];
      const height = 60 + 60 * random();
      return {
        ...{ x: 100 + random() * (WIDTH_PX - 200), y: 150 + random() * (HEIGHT_PX - 300), height },
        ...{ vx: speed * height * Math.cos(heading), vy: speed * height * Math.sin(heading) },
      };
    });
  }

  percept(index: number): Percept {
    const detections: Detection[] = [];
    for (const walker of this.#walkers) {
      this.#walk(walker);
      if (this.#random() >= MISSED) detections.push(this.#see(walker));
    }
    const size = { width: WIDTH_PX, height: HEIGHT_PX };
    return { index, t: index / CROWD_FPS, receivedAtMs: 0, ...size, detections, inferenceMs: 0 };
  }

  #walk(walker: Walker): void {
    walker.x += walker.vx / CROWD_FPS;
    walker.y += walker.vy / CROWD_FPS;
    if (walker.x < 60 || walker.x > WIDTH_PX - 60) walker.vx = Math.abs(walker.vx) * (walker.x < 60 ? 1 : -1);
    if (walker.y < 130 || walker.y > HEIGHT_PX - 10)
      walker.vy = Math.abs(walker.vy) * (walker.y < 130 ? 1 : -1);
  }

  #see({ x, y, height }: Walker): Detection {
    const noise = (): number => (this.#random() + this.#random() - 1) * 2 * NOISE * height;
    const width = 0.4 * height + noise();
    const [left, top] = [x - width / 2 + noise(), y - height + noise()];
    return {
      label: 'person',
      score: 0.5 + 0.4 * this.#random(),
      box: [left / WIDTH_PX, top / HEIGHT_PX, width / WIDTH_PX, (height + noise()) / HEIGHT_PX],
    };
  }
}

/** Mulberry32: the same numbers in each run. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
