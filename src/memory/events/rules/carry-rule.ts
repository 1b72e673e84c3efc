import { z } from 'zod';
import { boxGap } from '../../../core/maths/box.js';
import { FAST, SLOW, TOUCH } from '../../../core/ontology.js';
import type { ObjectSample } from '../../../core/memory.js';
import type { TrackSegment } from '../../track-segment.js';
import { below, beyond, Run, samplesIn, savedSample, timeOf, type Report } from '../finding.js';
import type { Pair, PairMoment, PairRule } from '../pair.js';

const HOLD = samplesIn(0.8);
/** Two objects move together when their velocities differ by less than this, in the agent's body heights per second. */
const TOGETHER = 0.3;
/** A thing must have rested within this time before it is carried; otherwise the person arrived with it. */
const RESTED_WITHIN = samplesIn(1.0);
/** Label of objects that carry things. */
const AGENT_LABEL = 'person';

const stateSchema = z.object({ carried: savedSample, left: savedSample, held: z.boolean() });

/**
 * `pick_up` and `put_down`: an inanimate thing, smaller than the person whose box it touches, starts or stops moving
 * with that person. A thing that is carried when first observed is put down without a preceding `pick_up`.
 */
export class CarryRule implements PairRule {
  #carried = new Run();
  #left = new Run();
  #held = false;

  private constructor(
    private readonly agent: TrackSegment,
    private readonly thing: TrackSegment,
    private readonly agentIsA: boolean,
  ) {}

  /** The rule for a pair of a person and a thing; undefined for all other pairs. */
  static for({ a, b }: Pair): CarryRule | undefined {
    if (mayCarry(a, b)) return new CarryRule(a, b, true);
    if (mayCarry(b, a)) return new CarryRule(b, a, false);
    return undefined;
  }

  step({ k, a, b }: PairMoment, report: Report): void {
    const [agent, thing] = this.agentIsA ? [a, b] : [b, a];
    const grasp = graspOf(agent, thing);
    if (!grasp) return;
    const { together, touching, difference } = grasp;
    const carried = this.#carried.step(k, together && (agent.speed ?? 0) > FAST, HOLD);
    const left = this.#left.step(k, !together, HOLD);
    if (carried && !this.#held) {
      this.#held = true;
      const start = this.#carried.start ?? k;
      if (this.#restedBefore(start)) this.#emit('pick_up', start, below(difference, TOGETHER), report);
    } else if (left && this.#held) {
      this.#held = false;
      this.#emit('put_down', this.#left.start ?? k, touching ? beyond(difference, TOGETHER) : 1, report);
    }
  }

  saveState(): unknown {
    return { carried: this.#carried.start ?? null, left: this.#left.start ?? null, held: this.#held };
  }

  restoreState(state: unknown): void {
    const { carried, left, held } = stateSchema.parse(state);
    this.#carried.start = carried;
    this.#left.start = left;
    this.#held = held;
  }

  #restedBefore(k: number): boolean {
    for (let n = k - RESTED_WITHIN; n < k; n++) {
      const thing = this.thing.at(n);
      const agent = this.agent.at(n) ?? this.agent.at(k);
      if (!thing?.velocity || !agent) continue;
      if (Math.hypot(thing.velocity[0], thing.velocity[1]) < SLOW * agent.height) return true;
    }
    return false;
  }

  #emit(type: 'pick_up' | 'put_down', k: number, clearness: number, report: Report): void {
    const participants = [
      { segment: this.agent, role: 'agent' },
      { segment: this.thing, role: 'object' },
    ];
    report({ type, t: timeOf(k), participants, clearness });
  }
}

/**
 * Relation of a thing to a person: touching, and the difference of the velocities in the person's heights per second.
 */
export function graspOf(
  agent: ObjectSample,
  thing: ObjectSample,
): { together: boolean; touching: boolean; difference: number } | undefined {
  if (!agent.velocity || !thing.velocity || !agent.speed) return undefined;
  const sizes = [agent, thing].map(({ box }) => Math.sqrt(box[2] * box[3])) as [number, number];
  const touching = sizes[1] < sizes[0] && boxGap(agent.box, thing.box) <= TOUCH * sizes[1];
  const apart = Math.hypot(thing.velocity[0] - agent.velocity[0], thing.velocity[1] - agent.velocity[1]);
  const difference = apart / agent.height;
  return { together: touching && difference < TOGETHER, touching, difference };
}

/** True for a person and a thing. */
export function mayCarry(agent: TrackSegment, thing: TrackSegment): boolean {
  return isAgent(agent) && !thing.upright;
}

function isAgent({ subject }: TrackSegment): boolean {
  return subject.label === AGENT_LABEL;
}
