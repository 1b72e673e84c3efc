import type { Box } from '../../../src/core/maths/box.js';
import type { Detection, Percept } from '../../../src/core/percept.js';

export interface CrowdOptions {
  readonly seed: number;
  /** People in view at a time, about. */
  readonly people: number;
  readonly fps?: number;
  /** Length of the embeddings; 0 for none. */
  readonly embeddingLength?: number;
  /** Share of the sights that the detector misses. */
  readonly misses?: number;
}

interface Walker {
  readonly label: string;
  /** Mean appearance, and the phase of its change. */
  readonly look: number;
  readonly phase: number;
  readonly height: number;
  x: number;
  y: number;
  vx: number;
  vy: number;
  /** s until it changes its mind. */
  mind: number;
  /** s that it stays hidden. */
  hidden: number;
  /** s that it stays at all. */
  stays: number;
}

const [WIDTH, HEIGHT] = [768, 576];
const STAY_S = 40;

/**
 * Percepts of a street with people who walk, stop, turn, meet, hide and leave, and with bags that some of them carry: a
 * detector's view, with jitter, misses and a embedding for each. Endless, seeded, in media time; no pixels.
 */
export class Crowd {
  readonly #options: Required<CrowdOptions>;
  readonly #random: () => number;
  readonly #embeddings = new Map<number, Float32Array>();
  #walkers: Walker[] = [];
  #index = 0;
  #looks = 0;

  constructor(options: CrowdOptions) {
    this.#options = { fps: 10, embeddingLength: 32, misses: 0.08, ...options };
    this.#random = seededRandom(options.seed);
    for (let i = 0; i < options.people; i++) this.#walkers.push(this.#born(true));
  }

  next(): Percept {
    const { fps, people, embeddingLength } = this.#options;
    const dt = 1 / fps;
    for (const walker of this.#walkers) this.#step(walker, dt);
    this.#walkers = this.#walkers.filter(isThere);
    const births = (people / STAY_S) * dt;
    if (this.#walkers.length < 2 * people && this.#random() < births) this.#walkers.push(this.#born(false));
    const index = this.#index++;
    const t = index / fps;
    return {
      index,
      t,
      receivedAtMs: t * 1000,
      width: WIDTH,
      height: HEIGHT,
      detections: this.#walkers.flatMap((walker) => this.#see(walker, t)),
      inferenceMs: 0,
      ...(embeddingLength > 0 && index % fps === 0 && { sceneEmbedding: this.#embedding(index % 7, t) }),
    };
  }

  #born(anywhere: boolean): Walker {
    const random = this.#random;
    const fromLeft = random() < 0.5;
    const height = 60 + 60 * random();
    const look = this.#looks++ % 97;
    return {
      label: look % 6 === 5 ? 'backpack' : 'person',
      look,
      phase: 6 * random(),
      height: look % 6 === 5 ? height / 4 : height,
      x: anywhere ? WIDTH * random() : fromLeft ? 2 : WIDTH - 2,
      y: 120 + (HEIGHT - 140) * random(),
      vx: (fromLeft ? 1 : -1) * (40 + 40 * random()),
      vy: 10 * (random() - 0.5),
      mind: 2 + 6 * random(),
      hidden: 0,
      stays: STAY_S * (0.3 + 1.4 * random()),
    };
  }

  #step(walker: Walker, dt: number): void {
    const random = this.#random;
    walker.stays -= dt;
    walker.mind -= dt;
    walker.hidden = Math.max(0, walker.hidden - dt);
    if (walker.stays < 0) walker.vx = Math.sign(walker.vx || 1) * 90;
    else if (walker.mind < 0) {
      walker.mind = 1.5 + 7 * random();
      const mood = random();
      if (mood < 0.35) [walker.vx, walker.vy] = [0, 0];
      else {
        const angle = 2 * Math.PI * random();
        walker.vx = 70 * Math.cos(angle);
        walker.vy = 25 * Math.sin(angle);
      }
      if (random() < 0.25) walker.hidden = 0.3 + 3 * random();
    }
    walker.x += walker.vx * dt;
    walker.y = Math.min(HEIGHT - 4, Math.max(walker.height + 4, walker.y + walker.vy * dt));
    if (walker.stays > 0) walker.x = Math.min(WIDTH - 3, Math.max(3, walker.x));
  }

  #see({ label, look, phase, height, x, y, hidden }: Walker, t: number): Detection[] {
    const { misses, embeddingLength } = this.#options;
    const random = this.#random;
    const [jx, jy, score] = [random() - 0.5, random() - 0.5, 0.45 + 0.5 * random()];
    if (hidden > 0 || random() < misses) return [];
    const [w, h] = [height * 0.4, height + 3 * jy];
    const box = clamp([x + 3 * jx - w / 2, y - h, w, h]);
    if (box === undefined) return [];
    return [
      { label, score, box, ...(embeddingLength > 0 && { embedding: this.#embedding(look, t + phase) }) },
    ];
  }

  /** A unit vector that wanders around the look's own. */
  #embedding(look: number, t: number): Float32Array {
    const { embeddingLength } = this.#options;
    let base = this.#embeddings.get(look);
    if (!base) {
      const random = seededRandom(look + 1);
      base = Float32Array.from({ length: embeddingLength }, () => random() - 0.5);
      this.#embeddings.set(look, base);
    }
    const embedding = base.map((value, i) => value + 0.12 * Math.sin(t / 3 + i));
    const norm = Math.hypot(...embedding);
    return embedding.map((value) => value / norm);
  }
}

/** mulberry32: uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

function isThere({ x }: Walker): boolean {
  return x > -40 && x < WIDTH + 40;
}

/** Fractions of the frame; undefined where less than 3 px are inside. */
function clamp([x, y, w, h]: Box): Box | undefined {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  const [right, bottom] = [Math.min(WIDTH, x + w), Math.min(HEIGHT, y + h)];
  if (right - left < 3 || bottom - top < 3) return undefined;
  return [left / WIDTH, top / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT];
}
