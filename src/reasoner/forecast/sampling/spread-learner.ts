import { z } from 'zod';
import { SAMPLE_HZ, TIME_EPSILON } from '../../../core/ontology.js';
import type { MemorySnapshot, ObjectSample } from '../../../core/memory.js';
import type { MotionKind } from '../../tracks/motion-kind.js';
import { PATH_HZ, type Paths } from './paths.js';
import type { TrackState } from '../../tracks/track-state.js';

/** Horizons at which a prediction is compared with what came, s. */
const HORIZONS_S = [1, 2, 3];
/** The prior counts as this many independent comparisons. */
const PRIOR_COUNT = 20;
/** Comparisons of one object a second apart overlap by up to two thirds. */
const WEIGHT = 1 / 3;
/** One wild outlier (an identity switch) must not blow up the spread: squared ratios are cut here (3 σ). */
const MAX_RATIO = 9;
/** Evidence beyond this many comparisons fades, so that the spread follows the light and the season. */
const MAX_COUNT = 600;
/** The spread is trusted within these factors of the prior. */
const MIN_SPREAD = 0.4;
const MAX_SPREAD = 3;
const MAX_PENDING = 4000;

interface Pending {
  readonly id: string;
  readonly key: string;
  readonly at: number;
  readonly dueAt: number;
  readonly x: number;
  readonly y: number;
  /** Mean variance of the paths per axis, px². */
  readonly variance: number;
  /** Factor with which the paths were drawn. */
  readonly spread: number;
}

export const spreadStateSchema = z.object({
  sums: z.record(z.string(), z.object({ sum: z.number().nonnegative(), count: z.number().nonnegative() })),
  pending: z
    .array(
      z.object({
        id: z.string(),
        key: z.string(),
        at: z.number(),
        dueAt: z.number(),
        x: z.number(),
        y: z.number(),
        variance: z.number(),
        spread: z.number(),
      }),
    )
    .max(MAX_PENDING),
});

/**
 * How uncertain velocities are on this camera, as a factor of the prior per kind of motion and state (moving, resting):
 * the posterior mean of a variance ratio under an inverse-Gamma prior, from predicted against later seen positions.
 */
export class SpreadLearner {
  readonly #sums = new Map<string, { sum: number; count: number }>();
  #pending: Pending[] = [];

  factor(kind: MotionKind, moving: boolean): number {
    const learned = this.#sums.get(keyOf(kind, moving));
    if (!learned) return 1;
    const ratio = (PRIOR_COUNT + learned.sum) / (PRIOR_COUNT + learned.count);
    return Math.min(Math.max(Math.sqrt(ratio), MIN_SPREAD), MAX_SPREAD);
  }

  /** Remembers where the paths say that an object will be. */
  expect(state: TrackState, paths: Paths, t: number, spread: number): void {
    if (state.unseenS > 1 / SAMPLE_HZ + TIME_EPSILON || state.speed === undefined) return;
    for (const horizon of HORIZONS_S) {
      const k = Math.round(horizon * PATH_HZ) - 1;
      if (k >= paths.steps) continue;
      this.#pending.push({
        id: state.record.id,
        key: keyOf(state.kind, state.moving),
        at: t,
        dueAt: t + horizon,
        x: paths.meanX[k] ?? 0,
        y: paths.meanY[k] ?? 0,
        variance: varianceAt(paths, k) + state.jitter ** 2,
        spread,
      });
    }
    if (this.#pending.length > MAX_PENDING) this.#pending.splice(0, this.#pending.length - MAX_PENDING);
  }

  /** Compares what is due with the samples of the objects that are still in view. */
  observe(snapshot: MemorySnapshot): void {
    const byId = new Map(snapshot.objects.map((o) => [o.id, o.samples]));
    const waiting: Pending[] = [];
    for (const p of this.#pending) {
      const samples = byId.get(p.id);
      const end = samples?.at(-1);
      if (!samples || !end || (samples[0]?.t ?? Infinity) > p.at) continue;
      if (end.t < p.dueAt - TIME_EPSILON) {
        if (snapshot.t < p.dueAt + 1) waiting.push(p);
        continue;
      }
      const seen = sampleAt(samples, p.dueAt);
      if (seen) this.#learn(p, seen);
    }
    this.#pending = waiting;
  }

  #learn(p: Pending, seen: ObjectSample): void {
    const squared = ((seen.position[0] - p.x) ** 2 + (seen.position[1] - p.y) ** 2) / 2;
    const ratio = Math.min(squared / Math.max(p.variance, 1e-6), MAX_RATIO) * p.spread ** 2;
    const learned = this.#sums.get(p.key) ?? { sum: 0, count: 0 };
    const keep = learned.count >= MAX_COUNT ? 1 - WEIGHT / MAX_COUNT : 1;
    this.#sums.set(p.key, {
      sum: learned.sum * keep + WEIGHT * ratio,
      count: learned.count * keep + WEIGHT,
    });
  }

  /** The camera was lost: nothing that was expected can be compared. */
  forget(): void {
    this.#pending = [];
  }

  save(): z.infer<typeof spreadStateSchema> {
    const sums = Object.fromEntries([...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { sums, pending: this.#pending };
  }

  restore(state: z.infer<typeof spreadStateSchema>): void {
    this.#sums.clear();
    for (const [key, value] of Object.entries(state.sums)) this.#sums.set(key, { ...value });
    this.#pending = state.pending;
  }

  get pending(): number {
    return this.#pending.length;
  }
}

function keyOf(kind: MotionKind, moving: boolean): string {
  return `${kind}/${moving ? 'moving' : 'resting'}`;
}

function varianceAt(paths: Paths, k: number): number {
  let sum = 0;
  for (let i = 0; i < paths.n; i++) {
    const j = i * paths.steps + k;
    sum +=
      ((paths.x[j] ?? 0) - (paths.meanX[k] ?? 0)) ** 2 + ((paths.y[j] ?? 0) - (paths.meanY[k] ?? 0)) ** 2;
  }
  return sum / paths.n / 2;
}

/** The sample within half a grid step of a time; samples are on the 10 Hz grid, without holes. */
function sampleAt(samples: readonly ObjectSample[], t: number): ObjectSample | undefined {
  const end = samples.at(-1);
  if (!end) return undefined;
  const found = samples[samples.length - 1 - Math.round((end.t - t) * SAMPLE_HZ)];
  return found && Math.abs(found.t - t) <= 1 / SAMPLE_HZ ? found : undefined;
}
