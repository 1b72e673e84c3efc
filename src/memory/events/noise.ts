import { SAMPLE_HZ } from '../../core/ontology.js';
import type { TrackSegment } from '../track-segment.js';

/** Samples on each side of a change of velocity, and the span of past changes that count as usual. */
const KICK_SPAN = 2;
const USUAL_SPAN = 5 * SAMPLE_HZ;
/** Minimum number of changes for an estimate. */
const MIN_CHANGES = 5;

/**
 * Median change of velocity of the last 5 s before sample k, bh/s: an estimate of the noise of the boxes; 0 when
 * unknown.
 */
export function usualChange(segment: TrackSegment, k: number): number {
  if (segment.exact) return 0;
  const changes: number[] = [];
  for (let n = Math.max(k - USUAL_SPAN, segment.oldestK + KICK_SPAN); n <= k - KICK_SPAN; n++) {
    const [before, now, after] = [segment.at(n - KICK_SPAN), segment.at(n), segment.at(n + KICK_SPAN)];
    if (!before || !now || !after) continue;
    const x = after.position[0] - 2 * now.position[0] + before.position[0];
    const y = after.position[1] - 2 * now.position[1] + before.position[1];
    changes.push((Math.hypot(x, y) * SAMPLE_HZ) / KICK_SPAN / now.height);
  }
  if (changes.length < MIN_CHANGES) return 0;
  changes.sort((a, b) => a - b);
  return changes[changes.length >> 1] ?? 0;
}
