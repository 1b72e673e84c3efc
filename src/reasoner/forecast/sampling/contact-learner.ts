import { z } from 'zod';
import { boxGap } from '../../../core/maths/box.js';
import { TIME_EPSILON, TOUCH } from '../../../core/ontology.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import type { MotionKind } from '../../tracks/motion-kind.js';
import type { TrackState } from '../../tracks/track-state.js';

/** Beta prior of P(collide | the boxes come into contact): [collisions, contacts without]. */
type Prior = readonly [hits: number, misses: number];
/** Bodies in a picture hit each other as often as one passes before another, or a little more. */
const BODIES: Prior = [6, 4];
/** A body and someone who walks or drives: kicked, touched, mostly passed by. */
const MIXED: Prior = [1, 9];
/** Vehicles pass before each other all day. */
const VEHICLES: Prior = [0.4, 9.6];
/** People pass before each other and hardly ever bump: once in a hundred contacts, worth twenty seen ones. */
const WALKERS: Prior = [0.2, 19.8];
/** A contact of boxes at one level makes a real one this much likelier (odds); at two levels it is mostly a passing. */
const LEVEL_ODDS = 2;
/** Evidence beyond this many contacts fades. */
const MAX_COUNT = 500;

export const contactStateSchema = z.object({
  counts: z.record(
    z.string(),
    z.object({ contacts: z.number().nonnegative(), collisions: z.number().nonnegative() }),
  ),
  /** Pairs of ids in contact at the last look. */
  touching: z.array(z.string()),
  reportedUntil: z.number().nullable(),
});

/** P(collide | contact) by pair of labels, learned from the contacts of boxes and the collisions told. */
export class ContactLearner {
  readonly #counts = new Map<string, { contacts: number; collisions: number }>();
  #touching = new Set<string>();
  #reportedUntil = -Infinity;

  /** Counts the contacts that began and the collisions told since the last call. */
  observe(snapshot: MemorySnapshot, states: readonly TrackState[]): void {
    const touching = new Set<string>();
    for (let i = 0; i < states.length; i++) {
      for (let j = i + 1; j < states.length; j++) {
        const [a, b] = [states[i], states[j]];
        if (!a || !b || !touchedLately(a, b)) continue;
        const pair = `${a.record.id} ${b.record.id}`;
        touching.add(pair);
        if (!this.#touching.has(pair)) this.#count(a.record.label, b.record.label, 1, 0);
      }
    }
    this.#touching = touching;
    for (const { event, observedAt } of snapshot.events) {
      if (event.type !== 'collide' || observedAt <= this.#reportedUntil) continue;
      this.#count(event.participants[0]?.label ?? '', event.participants[1]?.label ?? '', 0, 1);
    }
    this.#reportedUntil = snapshot.t;
  }

  /**
   * Chance of a collision from the share of paths in contact and of those at one level: the posterior mean of the pair,
   * its odds doubled for contacts at one level and divided by LEVEL_ODDS² for the others.
   */
  collision(a: TrackState, b: TrackState, contact: number, level: number): number {
    const p = this.probability(a, b);
    const scaled = (factor: number): number => (p * factor) / (1 - p + p * factor);
    return level * scaled(LEVEL_ODDS) + (contact - level) * scaled(1 / LEVEL_ODDS ** 2);
  }

  /** Posterior mean of P(collide | contact of the boxes). */
  probability(a: TrackState, b: TrackState): number {
    const [hits, misses] = priorOf(a.kind, b.kind);
    const seen = this.#counts.get(labelPair(a.record.label, b.record.label));
    // A collision told without a contact counted (it was between two looks) is a contact too.
    const contacts = Math.max(seen?.contacts ?? 0, seen?.collisions ?? 0);
    return (hits + (seen?.collisions ?? 0)) / (hits + misses + contacts);
  }

  #count(a: string, b: string, contacts: number, collisions: number): void {
    const key = labelPair(a, b);
    const seen = this.#counts.get(key) ?? { contacts: 0, collisions: 0 };
    const keep = seen.contacts >= MAX_COUNT ? 1 - 1 / MAX_COUNT : 1;
    this.#counts.set(key, {
      contacts: seen.contacts * keep + contacts,
      collisions: seen.collisions * keep + collisions,
    });
  }

  forget(): void {
    this.#touching.clear();
  }

  save(): z.infer<typeof contactStateSchema> {
    return {
      counts: Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))),
      touching: [...this.#touching],
      reportedUntil: Number.isFinite(this.#reportedUntil) ? this.#reportedUntil : null,
    };
  }

  restore(state: z.infer<typeof contactStateSchema>): void {
    this.#counts.clear();
    for (const [key, value] of Object.entries(state.counts)) this.#counts.set(key, { ...value });
    this.#touching = new Set(state.touching);
    this.#reportedUntil = state.reportedUntil ?? -Infinity;
  }
}

function priorOf(a: MotionKind, b: MotionKind): Prior {
  if (a === 'walker' && b === 'walker') return WALKERS;
  if (a === 'body' && b === 'body') return BODIES;
  return a === 'body' || b === 'body' ? MIXED : VEHICLES;
}

function labelPair(a: string, b: string): string {
  return a < b ? `${a}+${b}` : `${b}+${a}`;
}

/** True if the boxes were in contact at a sample of the last second. */
function touchedLately(a: TrackState, b: TrackState): boolean {
  const [sa, sb] = [a.record.samples, b.record.samples];
  const touch = (TOUCH * (a.size + b.size)) / 2;
  for (let i = 1; i <= 11; i++) {
    const [ka, kb] = [sa[sa.length - i], sb[sb.length - i]];
    if (!ka || !kb || Math.abs(ka.t - kb.t) > TIME_EPSILON) return false;
    if (boxGap(ka.box, kb.box) < touch) return true;
  }
  return false;
}
