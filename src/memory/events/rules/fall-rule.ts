import { z } from 'zod';
import type { Box } from '../../../core/maths/box.js';
import type { ObjectSample } from '../../../core/memory.js';
import type { TrackSegment } from '../../track-segment.js';
import { savedBox } from '../../state/saved-state.js';
import { below, Run, samplesIn, savedSample, timeOf, type ObjectRule, type Report } from '../finding.js';
import { touchesBorder, type FrameSize } from './presence-rule.js';

/** The height must shrink to less than this share within 1 s. */
const SHRUNK = 0.65;
const WITHIN = samplesIn(1.0);
/**
 * The object must lie (wider than high) for this long before a fall is reported, so that one wrong box is not a fall.
 */
const LIES = samplesIn(0.4);
/** Share of the lost height that the top must have come down by; a body hidden from below keeps its top. */
const TOP_SHARE = 0.5;
/** It must have stood for this long before it can fall again. */
const STANDS = samplesIn(1.0);
/** The fall starts at the last sample at which this share of the full height was still there. */
const FULL = 0.95;

const stateSchema = z.object({
  boxes: z.array(z.object({ k: z.number(), box: savedBox })),
  lies: savedSample,
  stands: savedSample,
  armed: z.boolean(),
  pending: z.object({ k: z.number(), share: z.number() }).optional(),
});

/**
 * `fall`: an upright object's box shrinks by more than 35 % in height and becomes wider than high within 1 s, its top
 * moving down. Boxes at the border of the frame are cut off by it and are ignored.
 */
export class FallRule implements ObjectRule {
  #boxes: { k: number; box: Box }[] = [];
  #lies = new Run();
  #stands = new Run();
  #armed = true;
  #pending: { k: number; share: number } | undefined;

  constructor(
    private readonly segment: TrackSegment,
    private readonly frame: FrameSize,
  ) {}

  step(k: number, { box }: ObjectSample, report: Report): void {
    const whole = !touchesBorder(box, this.frame);
    const lies = box[2] > box[3];
    if (whole) this.#boxes.push({ k, box });
    else this.#boxes = [];
    if (this.#boxes.length > WITHIN + 1) this.#boxes.shift();
    const lain = this.#lies.step(k, lies && whole, LIES);
    if (this.#stands.step(k, !lies, STANDS)) this.#armed = true;
    if (!lies) this.#pending = undefined;
    else if (this.#armed) this.#pending ??= this.#findFall(box);
    if (!lain && !(this.#pending && k - (this.#lies.start ?? k) > LIES)) return;
    if (!this.#pending || !this.#armed) return;
    this.#armed = false;
    const { k: start, share } = this.#pending;
    report({
      type: 'fall',
      t: timeOf(start),
      participants: [{ segment: this.segment }],
      clearness: below(share, SHRUNK),
    });
  }

  saveState(): unknown {
    return {
      boxes: this.#boxes.map(({ k, box }) => ({ k, box: [...box] })),
      lies: this.#lies.start ?? null,
      stands: this.#stands.start ?? null,
      armed: this.#armed,
      pending: this.#pending,
    };
  }

  restoreState(state: unknown): void {
    const { boxes, lies, stands, armed, pending } = stateSchema.parse(state);
    this.#boxes = boxes;
    this.#lies.start = lies;
    this.#stands.start = stands;
    this.#armed = armed;
    this.#pending = pending;
  }

  /** Finds the earlier stance from which the object came down to this box. */
  #findFall(now: Box): { k: number; share: number } | undefined {
    const upright = this.#boxes.filter(({ box: [, y, w, h] }) => {
      const cameDown = now[1] - y >= TOP_SHARE * (h - now[3]) && now[1] > y;
      return w < h && now[3] < SHRUNK * h && cameDown;
    });
    const full = Math.max(...upright.map(({ box }) => box[3]));
    const start = upright.findLast(({ box }) => box[3] >= FULL * full);
    return start && { k: start.k, share: now[3] / full };
  }
}
