import { z } from 'zod';
import { boxGap } from '../../../core/maths/box.js';
import { FAR, FAST, NEAR, SLOW, TOUCH } from '../../../core/ontology.js';
import type { Relation, RelationKind } from '../../../core/records/records.js';
import type { ObjectSample } from '../../../core/memory.js';
import { closestApproach } from './approach-rule.js';
import { graspOf, mayCarry } from './carry-rule.js';
import { savedSample, samplesIn, timeOf, type Stateful } from '../finding.js';
import { whoIsBehind } from './follow-rule.js';
import { meanSize, type Pair, type PairMoment, type PairRule } from '../pair.js';

/** Receives the beginnings and ends of relations between objects. */
export interface RelationSink {
  begin(relation: Pick<Relation, 'kind' | 'a' | 'b' | 'from'>): void;
  end(relation: Pick<Relation, 'kind' | 'a' | 'b'>, to: number): void;
}

/** Minimum duration of a condition before a relation begins, and of its absence before the relation ends. */
const HOLD: Readonly<Record<RelationKind, number>> = {
  near: samplesIn(0.5),
  touching: samplesIn(0.3),
  'moving-towards': samplesIn(0.5),
  carrying: samplesIn(0.8),
  following: samplesIn(3),
};
const RELEASE: Readonly<Record<RelationKind, number>> = {
  near: samplesIn(0.5),
  touching: samplesIn(0.3),
  'moving-towards': samplesIn(0.5),
  carrying: samplesIn(0.8),
  following: samplesIn(1),
};
/** Touching ends when the gap exceeds this many times the gap at which it begins. */
const RELEASE_TOUCH = 2;

const heldSchema = z.object({ on: z.boolean(), since: savedSample });

/** A condition with two thresholds and two hold times. */
class Held implements Stateful {
  #on = false;
  /** First sample of the present run of the opposite condition. */
  #since: number | undefined;

  constructor(
    private readonly hold: number,
    private readonly release: number,
  ) {}

  get on(): boolean {
    return this.#on;
  }

  /** The sample at which the state changed, returned once, when the change is certain. */
  step(k: number, enters: boolean, stays: boolean): number | undefined {
    if (this.#on ? stays : !enters) {
      this.#since = undefined;
      return undefined;
    }
    this.#since ??= k;
    if (k - this.#since < (this.#on ? this.release : this.hold)) return undefined;
    const at = this.#since;
    this.#on = !this.#on;
    this.#since = undefined;
    return at;
  }

  saveState(): unknown {
    return { on: this.#on, since: this.#since ?? null };
  }

  restoreState(state: unknown): void {
    const { on, since } = heldSchema.parse(state);
    this.#on = on;
    this.#since = since;
  }
}

/**
 * Result of a condition at one moment: a relation may begin, may only continue, or ends; `unknown` keeps the present
 * state.
 */
type Verdict = 'enters' | 'stays' | 'ends' | 'unknown';

interface Watch {
  readonly kind: RelationKind;
  /** The relation holds from b to a instead of from a to b. */
  readonly turned: boolean;
  readonly held: Held;
  readonly test: (moment: PairContext) => Verdict;
}

/** A moment with the values that several conditions need. */
class PairContext {
  readonly a: ObjectSample;
  readonly b: ObjectSample;
  readonly closest: ReturnType<typeof closestApproach>;
  readonly behind: ReturnType<typeof whoIsBehind>;

  constructor(readonly moment: PairMoment) {
    this.a = moment.a;
    this.b = moment.b;
    this.closest = closestApproach(moment);
    this.behind = whoIsBehind(moment);
  }
}

/**
 * The relations of two objects, as intervals with hysteresis:
 * - `near`: nearer than 0.7 mean heights, until farther than 1.2
 * - `touching`: boxes within 0.15 mean sizes, until beyond twice that
 * - `moving-towards`: on its way to come within 0.7 mean heights of the other in at most 3 s by its own motion
 * - `carrying`: a thing that touches a person moves with that person (as for `pick_up`), until it does not
 * - `following`: behind the other, the same way, for 3 s (as for `follow`, but the gap may change)
 */
export class RelationRule implements PairRule {
  readonly #watches: readonly Watch[];
  #lastK = 0;

  constructor(
    private readonly pair: Pair,
    private readonly sink: RelationSink,
  ) {
    const watch = (kind: RelationKind, turned: boolean, test: Watch['test']): Watch => {
      return { kind, turned, held: new Held(HOLD[kind], RELEASE[kind]), test };
    };
    const carriers = [false, true].filter((turned) =>
      turned ? mayCarry(pair.b, pair.a) : mayCarry(pair.a, pair.b),
    );
    this.#watches = [
      watch('near', false, ({ moment: { gap } }) => verdict(gap < NEAR, gap <= FAR)),
      watch('touching', false, touches),
      ...[false, true].map((turned) => watch('moving-towards', turned, (m) => headsFor(m, turned))),
      watch('following', false, ({ behind }) => verdict(behind === 'a', false)),
      watch('following', true, ({ behind }) => verdict(behind === 'b', false)),
      ...carriers.map((turned) => watch('carrying', turned, (m) => carries(m, turned))),
    ];
  }

  step(moment: PairMoment): void {
    const { k } = moment;
    this.#lastK = k;
    const context = new PairContext(moment);
    for (const watch of this.#watches) {
      const verdict = watch.test(context);
      const on = watch.held.on;
      const at = watch.held.step(k, verdict === 'enters', verdict === 'unknown' ? on : verdict !== 'ends');
      if (at === undefined) continue;
      if (on) this.sink.end(this.#name(watch), timeOf(at));
      else this.sink.begin({ ...this.#name(watch), from: timeOf(at) });
    }
  }

  end(): void {
    this.leave();
  }

  leave(): void {
    for (const watch of this.#watches) {
      if (watch.held.on) this.sink.end(this.#name(watch), timeOf(this.#lastK));
    }
  }

  saveState(): unknown {
    return { lastK: this.#lastK, held: this.#watches.map(({ held }) => held.saveState()) };
  }

  restoreState(state: unknown): void {
    const held = z.array(z.unknown()).length(this.#watches.length);
    const parsed = z.object({ lastK: z.number().int(), held }).parse(state);
    this.#lastK = parsed.lastK;
    this.#watches.forEach((watch, i) => watch.held.restoreState(parsed.held[i]));
  }

  #name({ kind, turned }: Watch): Pick<Relation, 'kind' | 'a' | 'b'> {
    const [a, b] = [this.pair.a.subject.id, this.pair.b.subject.id];
    return turned ? { kind, a: b, b: a } : { kind, a, b };
  }
}

function verdict(enters: boolean, stays: boolean): Verdict {
  return enters ? 'enters' : stays ? 'stays' : 'ends';
}

function touches({ a, b }: PairContext): Verdict {
  const gap = boxGap(a.box, b.box) / meanSize(a, b);
  return verdict(gap < TOUCH, gap <= RELEASE_TOUCH * TOUCH);
}

function headsFor(context: PairContext, turned: boolean): Verdict {
  const { a, b, closest } = context;
  if (!a.velocity || !b.velocity) return 'unknown';
  if (!closest) return 'ends';
  const own = speedTowards(turned ? b : a, context.moment, turned);
  return verdict(closest.gap < NEAR && own > FAST, closest.gap < FAR && own > SLOW);
}

/** Component of an object's own velocity towards the other, its body heights/s. */
function speedTowards({ velocity, height }: ObjectSample, moment: PairMoment, turned: boolean): number {
  const { offset, distance } = moment;
  const along = (velocity?.[0] ?? 0) * offset[0] + (velocity?.[1] ?? 0) * offset[1];
  return ((turned ? -1 : 1) * along) / Math.max(distance, 1e-9) / height;
}

function carries({ a, b }: PairContext, turned: boolean): Verdict {
  const [agent, thing] = turned ? [b, a] : [a, b];
  const grasp = graspOf(agent, thing);
  if (!grasp) return 'unknown';
  return verdict(grasp.together && (agent.speed ?? 0) > FAST, grasp.together);
}
