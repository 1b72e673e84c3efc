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
  reported: sampleIndex,
});

/** A moment is reported once this many consecutive samples after it were less likely. */
const SETTLED = 2;
/** After a contact the pair must be unlikely to touch for this long before the next one. */
const QUIET_SAMPLES = samplesIn(0.5);
/** Below this share of the threshold a moment is unlikely. */
const UNLIKELY = 0.5;

/**
 * `collide` of estimated tracks of things: physical contacts by a learned classifier over the motion of both boxes
 * 0.4 s before and after. The likeliest moment of a run of likely ones is reported.
 */
export class ContactRule implements PairRule {
  /** Next sample to evaluate; undefined before the pair is within reach. */
  #next: number | undefined;
  #latest = -Infinity;
  #best: { readonly k: number; readonly p: number } | undefined;
  /** Last likely sample of a reported contact. */
  #reported = -Infinity;

  constructor(
    private readonly pair: Pair,
    private readonly model: ContactModel,
    private readonly around: Surroundings,
  ) {}

  step({ k }: PairMoment, report: Report): void {
    this.#latest = k;
    this.#next ??= k;
    this.#evaluateUntil(k - CONTACT_SPAN, report);
  }

  end(report: Report): void {
    this.#evaluateUntil(this.#latest, report);
    this.#settle(report);
  }

  saveState(): unknown {
    return {
      next: this.#next ?? null,
      latest: finite(this.#latest),
      best: this.#best ?? null,
      reported: finite(this.#reported),
    };
  }

  restoreState(state: unknown): void {
    const { next, latest, best, reported } = stateSchema.parse(state);
    this.#next = next ?? undefined;
    this.#latest = latest ?? -Infinity;
    this.#best = best ?? undefined;
    this.#reported = reported ?? -Infinity;
  }

  #evaluateUntil(last: number, report: Report): void {
    if (this.#next === undefined) return;
    for (; this.#next <= last; this.#next++) this.#consider(this.#next, report);
  }

  #consider(k: number, report: Report): void {
    const p = this.#probability(k);
    const { threshold } = this.model;
    if (k - this.#reported <= QUIET_SAMPLES) {
      if (p >= threshold * UNLIKELY) this.#reported = k;
      return;
    }
    if (p >= threshold && p > (this.#best?.p ?? 0)) this.#best = { k, p };
    else if (this.#best && k - this.#best.k >= SETTLED) {
      this.#settle(report);
      if (p >= threshold * UNLIKELY) this.#reported = k;
    }
  }

  #settle(report: Report): void {
    if (!this.#best) return;
    const { k, p } = this.#best;
    const { a, b } = this.pair;
    const probability = this.model.confidence(p);
    report({
      type: 'collide',
      t: timeOf(k),
      participants: [{ segment: a }, { segment: b }],
      clearness: 1,
      probability,
    });
    this.#reported = k;
    this.#best = undefined;
  }

  #probability(k: number): number {
    const { a, b } = this.pair;
    const [p, q] = [a.at(k), b.at(k)];
    if (!p || !q || signedGap(p.box, q.box) > CONTACT_REACH * meanSize(p, q)) return 0;
    const features = contactFeatures(a, b, k, this.around);
    return features ? this.model.probability(features, { a, b, k }) : 0;
  }
}

/** JSON has no infinity. */
function finite(k: number): number | null {
  return Number.isFinite(k) ? k : null;
}
