import { z } from 'zod';
import { logit, sigmoid } from '../../stats/online-logistic.js';

/** Probabilities go into logits within [LEAST, 1 − LEAST]. */
const LEAST = 0.005;

const weightsSchema = z.object({
  bias: z.number(),
  /** Factor of the cause head's logit. */
  head: z.number(),
  /** Added where the rules know a path from the object to the event. */
  known: z.number(),
  /** Factor of the rules' logit then. */
  rules: z.number(),
});
type CauseWeights = z.infer<typeof weightsSchema>;
export const causeBlendSchema = z.object({
  collide: weightsSchema.optional(),
  other: weightsSchema.optional(),
});

/**
 * How P(necessary) of the cause head and of the rules become one, for collisions and for the other events. Absent where
 * the fit found the rules alone no worse: then the head is not asked.
 */
export type CauseBlend = z.infer<typeof causeBlendSchema>;

/** Before anything was fitted: the rules where they know something and the head count alike. */
const ALIKE = { bias: 0, head: 0.5, known: 0, rules: 0.5 };
export const UNFITTED_BLEND: CauseBlend = { collide: ALIKE, other: ALIKE };

/** The weights for events of this type; undefined where the rules stand alone. */
export function blendFor(blend: CauseBlend, type: string): CauseWeights | undefined {
  return type === 'collide' ? blend.collide : blend.other;
}

/**
 * P(necessary) from both.
 *
 * @param head of the cause head, 0–1
 * @param rules of the event graph, 0–1; undefined where no path leads from the object to the event
 */
export function blendCauses(weights: CauseWeights, head: number, rules: number | undefined): number {
  const known = rules === undefined ? 0 : weights.known + weights.rules * logit(bounded(rules));
  return sigmoid(weights.bias + weights.head * logit(bounded(head)) + known);
}

function bounded(p: number): number {
  return Math.min(Math.max(p, LEAST), 1 - LEAST);
}
