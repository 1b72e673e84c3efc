import { z } from 'zod';
import { PresageError } from '../../../core/errors.js';
import type { TrackSegment } from '../../track-segment.js';
import { CONTACT_FEATURES } from './contact-features.js';

const tree = z.object({
  /** Feature of each node; -1 for a leaf. */
  feature: z.array(z.number().int().min(-1)),
  /** Values up to this go left. */
  threshold: z.array(z.number()),
  left: z.array(z.number().int().nonnegative()),
  right: z.array(z.number().int().nonnegative()),
  /** 1 where an unknown value goes left. */
  unknownLeft: z.array(z.union([z.literal(0), z.literal(1)])),
  /** Log odds that a leaf adds. */
  value: z.array(z.number()),
});

const documentSchema = z.object({
  kind: z.literal('contact-classifier'),
  version: z.literal(1),
  features: z.array(z.string()),
  /** Log odds before the first tree. */
  base: z.number(),
  /** Minimum probability of a reported contact. */
  threshold: z.number().min(0).max(1),
  /** Log odds that a reported contact is real, linear in the log odds of its moment. */
  confidence: z.object({ slope: z.number(), offset: z.number() }),
  trees: z.array(tree).min(1),
});

/** Sample k of two segments that are near each other. */
export interface ContactMoment {
  readonly a: TrackSegment;
  readonly b: TrackSegment;
  readonly k: number;
}

/** Estimates the probability that two segments touch at a moment. */
export interface ContactModel {
  /** Minimum probability of a reported contact, 0–1. */
  readonly threshold: number;
  /** @param features values in the order of CONTACT_FEATURES; NaN where unknown */
  probability(features: Float64Array, moment: ContactMoment): number;
  /** Probability that a contact is real when it is reported at a moment of probability `p`, 0–1. */
  confidence(p: number): number;
}

/**
 * Gradient-boosted trees over the contact features, trained on simulated scenes (`training/data/contacts`).
 * Evaluating one moment takes some microseconds.
 */
export class ContactClassifier implements ContactModel {
  readonly threshold: number;
  readonly #base: number;
  readonly #confidence: z.output<typeof documentSchema>['confidence'];
  readonly #trees: readonly z.output<typeof tree>[];

  private constructor({ base, threshold, confidence, trees }: z.output<typeof documentSchema>) {
    this.threshold = threshold;
    this.#base = base;
    this.#confidence = confidence;
    this.#trees = trees;
  }

  /** @throws {PresageError} model_invalid — when the document is malformed or was made for other features */
  static parse(document: unknown): ContactClassifier {
    const parsed = documentSchema.safeParse(document);
    if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
    if (parsed.data.features.join() !== CONTACT_FEATURES.join())
      throw invalid('it was made for other features');
    if (!parsed.data.trees.every(isWhole)) throw invalid('a tree has a path without a leaf');
    return new ContactClassifier(parsed.data);
  }

  probability(features: Float64Array): number {
    let odds = this.#base;
    for (const { feature, threshold, left, right, unknownLeft, value } of this.#trees) {
      let node = 0;
      for (let index = feature[0] as number; index >= 0; index = feature[node] as number) {
        const x = features[index] as number;
        const goesLeft = Number.isNaN(x) ? unknownLeft[node] === 1 : x <= (threshold[node] as number);
        node = (goesLeft ? left[node] : right[node]) as number;
      }
      odds += value[node] as number;
    }
    return 1 / (1 + Math.exp(-odds));
  }

  confidence(p: number): number {
    const { slope, offset } = this.#confidence;
    return 1 / (1 + Math.exp(-(slope * Math.log(p / (1 - p)) + offset)));
  }
}

/** True when every node has all its fields and its children come after it, so that every path ends at a leaf. */
function isWhole({ feature, threshold, left, right, unknownLeft, value }: z.output<typeof tree>): boolean {
  const n = feature.length;
  if (n === 0 || [threshold, left, right, unknownLeft, value].some(({ length }) => length !== n))
    return false;
  return feature.every((index, node) => {
    const [l, r] = [left[node] as number, right[node] as number];
    return index < 0 || (index < CONTACT_FEATURES.length && l > node && r > node && l < n && r < n);
  });
}

function invalid(why: string): PresageError {
  return new PresageError('model_invalid', `the contact classifier cannot be used: ${why}`, {
    hint: 'restore the file with: presage models pull',
  });
}
