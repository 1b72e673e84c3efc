import { BORDER_BAND, TIME_EPSILON } from '../../core/ontology.js';
import type { Box } from '../../core/box.js';
import type { Observation, SampledPart } from '../sampled-part.js';
import type { Tell } from './finding.js';

/** An object that touches the border band this long after its first sight has entered, s. */
const ENTER_WITHIN_S = 0.5;

/** Size of the source frame, px. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** `enter` or `appear` when a part begins, `exit` or `disappear` when it ends. Works on the observations themselves. */
export class SightRule {
  #begun = false;

  constructor(
    private readonly part: SampledPart,
    private readonly frame: FrameSize,
  ) {}

  /** Takes each observation of the part, the first one included. */
  observe({ t, box }: Observation, tell: Tell): void {
    if (this.#begun) return;
    const early = t <= this.part.first.t + ENTER_WITHIN_S + TIME_EPSILON;
    if (early && touchesBorder(box, this.frame)) this.#begin('enter', tell);
    else if (!early) this.#begin('appear', tell);
  }

  end(tell: Tell): void {
    if (!this.#begun) this.#begin('appear', tell);
    const { t, box } = this.part.last;
    const type = touchesBorder(box, this.frame) ? 'exit' : 'disappear';
    tell({ type, t, who: [{ part: this.part }], clearness: 1 });
  }

  #begin(type: 'enter' | 'appear', tell: Tell): void {
    this.#begun = true;
    tell({ type, t: this.part.first.t, who: [{ part: this.part }], clearness: 1 });
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
