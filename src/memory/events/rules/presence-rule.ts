import { z } from 'zod';
import { BORDER_BAND, TIME_EPSILON } from '../../../core/ontology.js';
import type { Box } from '../../../core/maths/box.js';
import type { BoxObservation, TrackSegment } from '../../track-segment.js';
import type { Stateful, Report } from '../finding.js';

/** An object that touches the border band within this time of its first observation has entered, s. */
const ENTER_WITHIN_S = 0.5;
/**
 * A detector finds an arriving or leaving object only while enough of it is inside the frame: an estimated track that
 * would have touched the border this long before its first or after its last observation came or went that way, s.
 */
const LAG_S = 0.5;

/** Size of the source frame, px. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/**
 * `enter` or `appear` when a segment begins, `exit` or `disappear` when it ends. Works on the observations
 * themselves.
 */
export class PresenceRule implements Stateful {
  #begun = false;

  constructor(
    private readonly segment: TrackSegment,
    private readonly frame: FrameSize,
  ) {}

  /** Processes each observation of the segment, the first one included. */
  observe({ t, box }: BoxObservation, report: Report): void {
    if (this.#begun) return;
    const early = t <= this.segment.first.t + ENTER_WITHIN_S + TIME_EPSILON;
    if (early && touchesBorder(box, this.frame)) this.#begin('enter', report);
    else if (!early) this.#begin(this.#came(t, box) ? 'enter' : 'appear', report);
  }

  end(report: Report): void {
    if (!this.#begun) this.#begin('appear', report);
    const type = this.hasLeft() ? 'exit' : 'disappear';
    report({ type, t: this.segment.last.t, participants: [{ segment: this.segment }], clearness: 1 });
  }

  saveState(): unknown {
    return this.#begun;
  }

  restoreState(state: unknown): void {
    this.#begun = z.boolean().parse(state);
  }

  /** True when the last box touches the border, or would reach it at its last velocity within the detector's lag. */
  hasLeft(): boolean {
    const { segment } = this;
    if (touchesBorder(segment.last.box, this.frame)) return true;
    const velocity = segment.at(segment.lastK)?.velocity;
    if (segment.exact || !velocity) return false;
    const [x, y, w, h] = segment.last.box;
    return touchesBorder([x + velocity[0] * LAG_S, y + velocity[1] * LAG_S, w, h], this.frame);
  }

  /** True when the object's motion since the first observation started at the border within the detector's lag. */
  #came(t: number, [x, y]: Box): boolean {
    const {
      t: t0,
      box: [x0, y0, w, h],
    } = this.segment.first;
    const f = LAG_S / (t - t0);
    return !this.segment.exact && touchesBorder([x0 - (x - x0) * f, y0 - (y - y0) * f, w, h], this.frame);
  }

  #begin(type: 'enter' | 'appear', report: Report): void {
    this.#begun = true;
    report({ type, t: this.segment.first.t, participants: [{ segment: this.segment }], clearness: 1 });
  }
}

/** True when the box (px) touches the outer 3 % of the frame. */
export function touchesBorder([x, y, w, h]: Box, { width, height }: FrameSize): boolean {
  return (
    x <= BORDER_BAND * width ||
    y <= BORDER_BAND * height ||
    x + w >= (1 - BORDER_BAND) * width ||
    y + h >= (1 - BORDER_BAND) * height
  );
}
