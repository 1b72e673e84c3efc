import type { Box } from '../../../src/core/maths/box.js';
import type { Detection, Percept } from '../../../src/core/percept.js';
import { signedGap } from '../../../src/memory/events/contact/contact-features.js';
import type { SceneTruth } from './scene.js';

/** Errors of the perception. Lengths in px; `share` values in sizes of the box. */
const WHITE = { px: 0.4, share: 0.012 };
const SLOW = { px: 0.4, share: 0.02, memory: 0.85 };
const MISS = 0.03;
/** Probability that a miss continues in the next frame. */
const MISS_STAYS = 0.5;
/** Share of the contacts during which both objects are detected as one. */
const MERGE = 0.1;
const MERGE_GAP = 1;
/** Share of the scenes in which only moved objects are detected, and the required displacement. */
const ONLY_MOVING = 0.1;
const MOVED = { px: 2, share: 0.08 };
const SCORE = { mean: 0.78, deviation: 0.12, min: 0.3 };

/** Percepts of a scene with simulated errors; the same seed gives the same percepts. */
export function* blurredPercepts(truth: SceneTruth): Generator<Percept> {
  const random = createRandom(truth.seed);
  const blurs = new Map<string, Blur>();
  const merges = new Map<string, boolean>();
  const onlyMoving = random.uniform() < ONLY_MOVING;
  for (let index = 0; index < truth.frames; index++) {
    const boxes = Object.entries(truth.boxes[index] ?? {});
    const seen = boxes.flatMap(([id, box]): [string, Box][] => {
      if (!blurs.has(id)) blurs.set(id, new Blur(box, random));
      const blurred = (blurs.get(id) as Blur).see(box, onlyMoving && truth.frames > 1);
      return blurred ? [[id, blurred]] : [];
    });
    yield percept(truth, index, merge(seen, merges, random), random);
  }
}

function percept(truth: SceneTruth, index: number, boxes: readonly Box[], random: Random): Percept {
  const { width, height, fps } = truth;
  const detections = boxes.map(([x, y, w, h]): Detection => {
    const [x0, y0] = [Math.max(x, 0), Math.max(y, 0)];
    const [x1, y1] = [Math.min(x + w, width), Math.min(y + h, height)];
    const score = Math.min(1, Math.max(SCORE.min, SCORE.mean + SCORE.deviation * random.normal()));
    const box: Box = [x0 / width, y0 / height, Math.max(x1 - x0, 1) / width, Math.max(y1 - y0, 1) / height];
    return { label: 'object', score, box, origin: 'motion' };
  });
  return { index, t: index / fps, receivedAtMs: 0, width, height, detections, inferenceMs: 0 };
}

/** Merges the boxes of touching objects while they touch, in a share of the cases. */
function merge(seen: readonly [string, Box][], merges: Map<string, boolean>, random: Random): readonly Box[] {
  const out: Box[] = [];
  const gone = new Set<string>();
  for (const [i, [id, box]] of seen.entries()) {
    for (const [other, otherBox] of seen.slice(i + 1)) {
      const key = `${id} ${other}`;
      if (signedGap(box, otherBox) > MERGE_GAP) {
        merges.delete(key);
        continue;
      }
      if (!merges.has(key)) merges.set(key, random.uniform() < MERGE);
      if (!merges.get(key) || gone.has(id) || gone.has(other)) continue;
      gone.add(id).add(other);
      out.push(union(box, otherBox));
    }
  }
  return [...out, ...seen.filter(([id]) => !gone.has(id)).map(([, box]) => box)];
}

function union(a: Box, b: Box): Box {
  const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  return [x, y, Math.max(a[0] + a[2], b[0] + b[2]) - x, Math.max(a[1] + a[3], b[1] + b[3]) - y];
}

/** Errors of one object: white and slow noise of the four edges, misses, and missing resting objects. */
class Blur {
  readonly #slow = [0, 0, 0, 0];
  #missed = false;
  #moved = false;

  constructor(
    private readonly first: Box,
    private readonly random: Random,
  ) {}

  see(box: Box, onlyMoving: boolean): Box | undefined {
    const { random, first } = this;
    const size = Math.sqrt(box[2] * box[3]);
    const shift = Math.hypot(box[0] - first[0], box[1] - first[1]);
    this.#moved ||= shift > MOVED.px + MOVED.share * size;
    this.#missed = random.uniform() < (this.#missed ? MISS_STAYS : MISS);
    const edges = [box[0], box[1], box[0] + box[2], box[1] + box[3]].map((edge, i) => {
      const step = Math.sqrt(1 - SLOW.memory ** 2) * random.normal();
      this.#slow[i] = SLOW.memory * (this.#slow[i] as number) + step;
      const slow = (SLOW.px + SLOW.share * size) * this.#slow[i];
      return edge + slow + (WHITE.px + WHITE.share * size) * random.normal();
    }) as [number, number, number, number];
    if (this.#missed || (onlyMoving && !this.#moved)) return undefined;
    const [x0, y0, x1, y1] = edges;
    return [x0, y0, Math.max(x1 - x0, 1), Math.max(y1 - y0, 1)];
  }
}

interface Random {
  uniform(): number;
  normal(): number;
}

/** Mulberry32, and normal values by the Box-Muller transform. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}
