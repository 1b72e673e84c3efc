import { SAMPLE_HZ } from '../../core/ontology.js';
import type { SampledPart } from '../sampled-part.js';

/** Samples of the least-squares line that a velocity is: the last 0.6 s. */
const LINE_SPAN = 6;
/** Sum of the squared times around the middle of that line, s². */
const LINE_NORM = 28 / (SAMPLE_HZ * SAMPLE_HZ);
/** Samples on each side of a change of velocity, and how far back the usual changes are looked for. */
const KICK_SPAN = 2;
const USUAL_SPAN = 5 * SAMPLE_HZ;
/** Fewer changes than this tell nothing about what is usual. */
const LEAST_CHANGES = 5;

/**
 * Standard error per axis, px/s, of the velocity of sample k: how badly a straight line fits its positions. 0 for exact
 * tracks, whose deviations from the line are motion.
 */
export function velocityError(part: SampledPart, k: number): number {
  const now = part.at(k);
  if (part.exact || !now?.velocity) return 0;
  let [mx, my] = [0, 0];
  const points = [];
  for (let n = k - LINE_SPAN; n <= k; n++) {
    const position = part.at(n)?.position;
    if (!position) return 0;
    points.push(position);
    mx += position[0] / (LINE_SPAN + 1);
    my += position[1] / (LINE_SPAN + 1);
  }
  let squares = 0;
  points.forEach(([x, y], i) => {
    const tau = (i - LINE_SPAN / 2) / SAMPLE_HZ;
    squares += (x - mx - (now.velocity?.[0] ?? 0) * tau) ** 2 + (y - my - (now.velocity?.[1] ?? 0) * tau) ** 2;
  });
  // Seven points less the two parameters of the line, on two axes.
  return Math.sqrt(squares / (2 * (LINE_SPAN - 1)) / LINE_NORM);
}

/** Median change of velocity of the last 5 s before sample k, bh/s: what the noise of the boxes alone looks like. */
export function usualChange(part: SampledPart, k: number): number {
  if (part.exact) return 0;
  const changes: number[] = [];
  for (let n = Math.max(k - USUAL_SPAN, part.oldestK + KICK_SPAN); n <= k - KICK_SPAN; n++) {
    const [before, now, after] = [part.at(n - KICK_SPAN), part.at(n), part.at(n + KICK_SPAN)];
    if (!before || !now || !after) continue;
    const x = after.position[0] - 2 * now.position[0] + before.position[0];
    const y = after.position[1] - 2 * now.position[1] + before.position[1];
    changes.push((Math.hypot(x, y) * SAMPLE_HZ) / KICK_SPAN / now.height);
  }
  if (changes.length < LEAST_CHANGES) return 0;
  changes.sort((a, b) => a - b);
  return changes[changes.length >> 1] ?? 0;
}
