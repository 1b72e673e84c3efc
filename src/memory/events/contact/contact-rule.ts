import { z } from 'zod';
import type { ContactModel } from './contact-classifier.js';
import {
  CONTACT_REACH,
  CONTACT_SPAN,
  contactFeatures,
  signedGap,
  type Surroundings,
} from './contact-features.js';
import { samplesIn, timeOf, type Report } from '../finding.js';
import { meanSize, type Pair, type PairMoment, type PairRule } from '../pair.js';

const sampleIndex = z.number().int().nullable();
const stateSchema = z.object({
  next: sampleIndex,
  latest: sampleIndex,
  best: z.object({ k: z.number().int(), p: z.number() }).nullable(),
  told: sampleIndex,
});

/** A moment is told once this many samples in a row after it were less likely. */
const SETTLED = 2;
/** After a contact the pair must have been unlikely to touch anew for this long. */
const QUIET_SAMPLES = samplesIn(0.5);
/** Below this share of the threshold a moment is unlikely. */
const UNLIKELY = 0.5;

/**
 * `collide` of estimated tracks of things: physical contacts, as a learned judge tells them from the way both boxes
 * moved 0.4 s before and after. The likeliest moment of a run of likely ones is told.
 */
export class ContactRule implements PairRule {
  /** Next sample to judge; the pair was out of reach before. */
  #next: number | undefined;
  #latest = -Infinity;
  #best: { readonly k: number; readonly p: number } | undefined;
  /** Last likely sample of a contact that has been told. */
  #told = -Infinity;

  constructor(
    private readonly pair: Pair,
    private readonly judge: ContactModel,
    private readonly around: Surroundings,
  ) {}

  step({ k }: PairMoment, tell: Report): void {
    this.#latest = k;
    this.#next ??= k;
    this.#judgeUntil(k - CONTACT_SPAN, tell);
  }

  end(tell: Report): void {
    this.#judgeUntil(this.#latest, tell);
    this.#settle(tell);
  }

  saveState(): unknown {
    return {
      next: this.#next ?? null,
      latest: finite(this.#latest),
      best: this.#best ?? null,
      told: finite(this.#told),
    };
  }

  restoreState(state: unknown): void {
    const { next, latest, best, told } = stateSchema.parse(state);
    this.#next = next ?? undefined;
    this.#latest = latest ?? -Infinity;
    this.#best = best ?? undefined;
    this.#told = told ?? -Infinity;
  }

  #judgeUntil(last: number, tell: Report): void {
    if (this.#next === undefined) return;
    for (; this.#next <= last; this.#next++) this.#consider(this.#next, tell);
  }

  #consider(k: number, tell: Report): void {
    const p = this.#probability(k);
    const { threshold } = this.judge;
    if (k - this.#told <= QUIET_SAMPLES) {
      if (p >= threshold * UNLIKELY) this.#told = k;
      return;
    }
    if (p >= threshold && p > (this.#best?.p ?? 0)) this.#best = { k, p };
    else if (this.#best && k - this.#best.k >= SETTLED) {
      this.#settle(tell);
      if (p >= threshold * UNLIKELY) this.#told = k;
    }
  }

  #settle(tell: Report): void {
    if (!this.#best) return;
    const { k, p } = this.#best;
    const { a, b } = this.pair;
    const probability = this.judge.confidence(p);
    tell({ type: 'collide', t: timeOf(k), who: [{ segment: a }, { segment: b }], clearness: 1, probability });
    this.#told = k;
    this.#best = undefined;
  }

  #probability(k: number): number {
    const { a, b } = this.pair;
    const [p, q] = [a.at(k), b.at(k)];
    if (!p || !q || signedGap(p.box, q.box) > CONTACT_REACH * meanSize(p, q)) return 0;
    const features = contactFeatures(a, b, k, this.around);
    return features ? this.judge.probability(features, { a, b, k }) : 0;
  }
}

/** JSON knows no infinity. */
function finite(k: number): number | null {
  return Number.isFinite(k) ? k : null;
}
