import type { DrawnObject, TrackBook } from '../state/track-book.js';

export interface StepAhead {
  /** From where it is now, in fractions of the frame. */
  readonly dx: number;
  readonly dy: number;
  /** s */
  readonly ahead: number;
}

/** Slower than this it stays about where it is: fractions of the frame's width a second. */
const MIN_SPEED = 0.012;
const STEP_S = 0.25;
const SPAN_S = 3;
/** The way of this long before tells how it bends, s. */
const BEND_S = 1;
/** Most that a way bends: beyond it the bend is noise, radians a second. */
const MAX_BEND = 0.7;

/**
 * Where an object will be in the next three seconds if it keeps its speed and the bend of its last second. The messages tell
 * probabilities, not paths: this is the page's own drawing, and the page says so.
 */
export function pathAhead(object: DrawnObject, tracks: TrackBook, t: number): StepAhead[] {
  const { velocity, box } = object;
  const speed = Math.hypot(velocity[0], velocity[1]);
  if (object.state !== 'moving' || speed < MIN_SPEED) return [];
  const bend = bendOf(object, tracks, t, speed);
  const steps: StepAhead[] = [];
  let heading = Math.atan2(velocity[1], velocity[0]);
  let [dx, dy] = [0, 0];
  for (let ahead = STEP_S; ahead <= SPAN_S + 1e-6; ahead += STEP_S) {
    // A bend does not last: it fades within the first second and a half.
    heading += bend * STEP_S * Math.max(1 - ahead / 1.5, 0);
    dx += Math.cos(heading) * speed * STEP_S;
    dy += Math.sin(heading) * speed * STEP_S;
    const [cx, cy] = [box[0] + box[2] / 2 + dx, box[1] + box[3] / 2 + dy];
    if (cx < 0 || cx > 1 || cy < 0 || cy > 1) break;
    steps.push({ dx, dy, ahead });
  }
  return steps;
}

function bendOf({ id, velocity }: DrawnObject, tracks: TrackBook, t: number, speed: number): number {
  const dots = tracks.trail(id, t, BEND_S, false);
  const [first, last] = [dots[0], dots.at(-1)];
  if (!first || !last || last.t - first.t < BEND_S / 2) return 0;
  const [mx, my] = [(last.x - first.x) / (last.t - first.t), (last.y - first.y) / (last.t - first.t)];
  if (Math.hypot(mx, my) < speed / 2) return 0;
  const turned = Math.atan2(mx * velocity[1] - my * velocity[0], mx * velocity[0] + my * velocity[1]);
  // The mean heading is that of the middle of the span.
  return Math.max(Math.min((2 * turned) / (last.t - first.t), MAX_BEND), -MAX_BEND);
}
