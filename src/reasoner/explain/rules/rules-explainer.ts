import { systemClock, type Clock } from '../../../core/clock.js';
import type { ChainStep, Explanation, ObservedEvent } from '../../../core/messages.js';
import { FAST } from '../../../core/ontology.js';
import type { Explainer } from '../../../core/reasoner.js';
import type { MemorySnapshot, ObjectRecord } from '../../../core/memory.js';
import { necessaryObjects, type Necessity } from '../causes/causes.js';
import { bestChain, chainConfidence } from './chain.js';
import { stoodBefore } from '../causes/counterfactual.js';
import { EventGraph, type Link } from './event-graph.js';
import { MemoryIndex } from '../memory-index.js';
import type { CausalRelation } from './relations.js';
import { salienceOf } from './salience.js';
import { clauseOf, counterfactual, explanationText, outsideRemark, relationRemark } from './wording.js';

export interface RulesExplainerOptions {
  /** Measures `by.ms`. Default: the system's clock. */
  readonly clock?: Clock;
}

/** The rules and priors of relations.ts as a version: raise it when an explanation may come out differently. */
export const RULES_MODEL = 'event-graph-1';
/** Confidence of "nothing in memory accounts for this": it says little about the world. */
const NOTHING_CONFIDENCE = 0.1;
/** No chain read from boxes is surer than this. */
const MAX_CONFIDENT = 0.9;
/** An object that moves within this time of its first sight came in moving, s: a slope needs 0.6 s of samples. */
const FIRST_MOTION_S = 1;

/**
 * Explains by rules: the best chain of earlier events (relations.ts, chain.ts) and the third objects that were
 * necessary (causes.ts). Every figure and box comes from memory. Which events are explained: salience.ts. Whoever
 * publishes an explanation verifies it (Verifier.repair).
 */
export class RulesExplainer implements Explainer, AccountSource {
  readonly name = 'rules';
  readonly #clock: Clock;

  constructor(options: RulesExplainerOptions = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  explain(event: ObservedEvent, snapshot: MemorySnapshot): Promise<Explanation | undefined> {
    return Promise.resolve(this.explainNow(event, snapshot));
  }

  account(event: ObservedEvent, snapshot: MemorySnapshot): Promise<Account | undefined> {
    return Promise.resolve(accountFor(event, snapshot));
  }

  /** As `explain`, at once: rules wait for nothing. */
  explainNow(event: ObservedEvent, snapshot: MemorySnapshot): Explanation | undefined {
    const startMs = this.#clock.nowMs();
    const account = accountFor(event, snapshot);
    if (account === undefined) return undefined;
    const by = { backend: this.name, model: RULES_MODEL, ms: this.#clock.nowMs() - startMs };
    return describeAccount(account, by);
  }
}

/** Something that finds out what accounts for an event, for others to put into words or to judge anew. */
export interface AccountSource {
  /** Undefined when there is nothing to explain. Rejects with PresageError. */
  account(event: ObservedEvent, snapshot: MemorySnapshot, signal?: AbortSignal): Promise<Account | undefined>;
}

/** What is found about an event, before it is put into words. */
export interface Account {
  readonly event: ObservedEvent;
  readonly index: MemoryIndex;
  readonly links: readonly Link[];
  /** Third objects held necessary, most probable first. */
  readonly causes: readonly Necessity[];
  readonly remarks: readonly string[];
}

/** Undefined when the event is of a type that is not explained, or an ordinary one that nothing accounts for. */
export function accountFor(event: ObservedEvent, snapshot: MemorySnapshot): Account | undefined {
  const salience = salienceOf(event);
  if (salience === 'never') return undefined;
  const index = new MemoryIndex(snapshot, event);
  const graph = new EventGraph(index);
  const links = bestChain(graph, event);
  const causes = necessaryObjects(graph, event);
  const tellsMore = links.some(({ rule }) => rule.relation !== 'enables') || causes.length > 0;
  if (!tellsMore && salience === 'when_known') return undefined;
  return { event, index, links, causes, remarks: remarksOn(index, event, links) };
}

/** What is to be said beside the chain: what came in moving, and what was held. */
export function remarksOn(
  index: MemoryIndex,
  event: ObservedEvent,
  links: readonly Link[],
): readonly string[] {
  const moving = event.type === 'collide' ? cameInMoving(index, event, links) : [];
  return [...moving, ...heldAt(index.snapshot, event)];
}

/** @param holds probability that the chain holds; by default that all of its links do */
export function describeAccount(
  { event, index, links, causes, remarks }: Account,
  by: Explanation['by'],
  holds?: number,
): Explanation {
  return {
    id: explanationId(event),
    of: event.id,
    text: explanationText(event, links, causes, remarks),
    chain: links.length === 0 ? [] : chainSteps(index, event, links),
    causes: causes.map((necessity) => ({
      object: necessity.object,
      probability: round(necessity.probability),
      counterfactual: counterfactual(event, necessity, stoodWhenActedOn(index, necessity)),
    })),
    confidence: links.length === 0 ? NOTHING_CONFIDENCE : confidenceOf(event, links, holds),
    verified: UNVERIFIED,
    by,
  };
}

/** What an explanation says of its verification until the verifier has seen it. */
export const UNVERIFIED: Explanation['verified'] = { ok: false, problems: [] };

/** A provisional id, one for each event: whoever publishes explanations numbers them (`x1`, `x2`, …). */
export function explanationId(event: ObservedEvent): string {
  return event.id.replace(/^e?/, 'x');
}

/** The step of a chain that cites one event, with the boxes of its participants as evidence. */
export function stepOf(
  index: MemoryIndex,
  event: ObservedEvent,
  relation: CausalRelation,
  text: string,
): ChainStep {
  return {
    text,
    relation,
    events: [event.id],
    objects: event.participants.map(({ id }) => id),
    from: event.t,
    to: Math.max(event.to ?? event.t, event.t),
    evidence: event.participants.map(({ id, box }) => {
      const recorded = index.boxAt(id, event.t)?.box ?? box;
      return { t: event.t, box: [recorded[0], recorded[1], recorded[2], recorded[3]] };
    }),
  };
}

function chainSteps(index: MemoryIndex, event: ObservedEvent, links: readonly Link[]): ChainStep[] {
  const steps = links.map((link) => stepOf(index, link.cause, link.rule.relation, clauseOf(link.cause)));
  return [...steps, stepOf(index, event, 'outcome', clauseOf(event))];
}

/** @param holds probability that the chain holds; by default that all of its links do */
function confidenceOf(event: ObservedEvent, links: readonly Link[], holds = chainConfidence(links)): number {
  return round(Math.min(holds * event.confidence, MAX_CONFIDENT));
}

function stoodWhenActedOn(index: MemoryIndex, necessity: Necessity): boolean | undefined {
  const last = necessity.path.at(-1);
  return last === undefined ? undefined : stoodBefore(index.record(last.via)?.samples ?? [], last.cause.t);
}

/** What a participant carried or whom it followed when the event happened. */
function heldAt(snapshot: MemorySnapshot, event: ObservedEvent): string[] {
  const own = new Set(event.participants.map(({ id }) => id));
  return snapshot.relations
    .filter(({ kind }) => kind === 'carrying' || kind === 'following')
    .filter(({ a, b, from, to }) => own.has(a) && !own.has(b) && from <= event.t && to >= event.t)
    .map(relationRemark);
}

/** Remarks on participants that moved from the first and on which no known object acted. */
function cameInMoving(index: MemoryIndex, event: ObservedEvent, links: readonly Link[]): string[] {
  const actedOn = new Set(links.filter(({ rule }) => rule.relation !== 'enables').map(({ via }) => via));
  return event.participants
    .filter(({ id }) => !actedOn.has(id) && movedAtFirst(index.record(id)))
    .map(outsideRemark);
}

function movedAtFirst(record: ObjectRecord | undefined): boolean {
  const first = record?.samples.find(({ speed }) => speed !== undefined);
  // An object of the very first frame was simply there.
  if (record === undefined || first?.speed === undefined || record.firstSeen <= 0) return false;
  return first.t - record.firstSeen <= FIRST_MOTION_S && first.speed > FAST;
}

/** Three decimals: more would claim a precision that rules don't have. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
