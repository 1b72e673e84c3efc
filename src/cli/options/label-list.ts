import { z } from 'zod';
import { COCO_LABELS } from '../../model/detector/coco-labels.js';
import { OBJECT_LABEL } from '../../model/motion/motion-analyzer.js';

/** The labels of objects: the classes of the detector and the label of motion proposals. */
const LABELS: readonly string[] = [...COCO_LABELS, OBJECT_LABEL];

/** A label with at most this share of its letters wrong is taken for a slip of the hand. */
const MAX_SLIP = 0.4;
const MAX_SUGGESTIONS = 3;

/**
 * COCO labels, as a list or as text with commas between them; lower case, each once, in the order given. The message
 * of an unknown label names it and the labels that are nearest to it, or all labels when none is near.
 */
export const labelList: z.ZodType<readonly string[]> = z
  .union([z.string().transform((given) => given.split(',')), z.array(z.string())])
  .transform((names) => [...new Set(names.map((name) => name.trim().toLowerCase()))])
  .superRefine((names, context) => {
    const unknown = names.find((name) => !LABELS.includes(name));
    if (unknown !== undefined) context.addIssue({ code: 'custom', message: explain(unknown) });
    else if (names.length === 0) context.addIssue({ code: 'custom', message: 'leave it out to keep all' });
  });

/** The labels most similar to `given`, nearest first. */
export function nearestLabels(given: string): string[] {
  return LABELS.map((label) => ({ label, slips: slipsBetween(given, label) }))
    .filter(({ label, slips }) => slips <= label.length * MAX_SLIP || label.split(' ').includes(given))
    .sort((a, b) => a.slips - b.slips)
    .slice(0, MAX_SUGGESTIONS)
    .map(({ label }) => label);
}

function explain(unknown: string): string {
  const nearest = nearestLabels(unknown).map((label) => `"${label}"`);
  return nearest.length > 0
    ? `there is no label "${unknown}"; did you mean ${nearest.join(' or ')}?`
    : `there is no label "${unknown}"; the labels are: ${LABELS.join(', ')}`;
}

/** Levenshtein distance: letters to put in, take out or change. */
function slipsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      line.push(Math.min(changed, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[b.length] ?? 0;
}
