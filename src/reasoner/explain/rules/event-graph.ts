import { boxGap, scaleBox, type Box } from '../../../core/maths/box.js';
import type { ObservedEvent } from '../../../core/messages.js';
import { TIME_EPSILON } from '../../../core/ontology.js';
import { divertedBy } from '../causes/counterfactual.js';
import type { MemoryIndex } from '../memory-index.js';
import { linkRule, type LinkRule } from './relations.js';

/** An earlier event that may account for a later one. */
export interface Link {
  readonly cause: ObservedEvent;
  readonly effect: ObservedEvent;
  readonly rule: LinkRule;
  /** The object through which the earlier acts on the later: it took part in both. */
  readonly via: string;
  /** 0–1, see `plausibility` below. */
  readonly plausibility: number;
}

/** Two objects this many body heights apart count e times less as acting on each other. */
const CLOSENESS_HEIGHTS = 3;
/** Even a clear diversion is read from boxes alone: plausibilities of contacts stay within these. */
const CONTACT_FLOOR = 0.1;
const CONTACT_CEILING = 0.9;

/**
 * The events of memory as a graph: links go from earlier to later events that share an object and for which
 * relations.ts knows a rule. The plausibility of a link is prior × time decay × spatial closeness × confidence of the
 * earlier event. From contact to contact it comes instead from how far the earlier one diverted the shared object
 * (counterfactual.ts), where memory still holds its path.
 */
export class EventGraph {
  readonly #index: MemoryIndex;
  readonly #links = new Map<string, readonly Link[]>();

  constructor(index: MemoryIndex) {
    this.#index = index;
  }

  /** Links that lead to the event, most plausible first; ties: the later cause first, then by id. */
  antecedents(event: ObservedEvent): readonly Link[] {
    const known = this.#links.get(event.id);
    if (known !== undefined) return known;
    const best = new Map<string, Link>();
    for (const { id } of event.participants) {
      for (const cause of this.#index.eventsOf(id)) {
        const link = this.#link(cause, event, id);
        if (link === undefined) continue;
        if (link.plausibility > (best.get(cause.id)?.plausibility ?? 0)) best.set(cause.id, link);
      }
    }
    const links = [...best.values()].sort(byPlausibility);
    this.#links.set(event.id, links);
    return links;
  }

  #link(cause: ObservedEvent, effect: ObservedEvent, via: string): Link | undefined {
    const rule = linkRule(cause.type, effect.type);
    const elapsed = effect.t - cause.t;
    if (rule === undefined || cause.id === effect.id || elapsed > rule.windowS) return undefined;
    // What enables may be of the same moment (an object enters and is already there); what acts comes before.
    if (elapsed < (rule.relation === 'enables' ? 0 : TIME_EPSILON)) return undefined;
    if (rule.shares === 'all' && !includesAll(effect, cause)) return undefined;
    return { cause, effect, rule, via, plausibility: this.#plausibility(cause, effect, rule, via) };
  }

  #plausibility(cause: ObservedEvent, effect: ObservedEvent, rule: LinkRule, via: string): number {
    const contact = cause.type === 'collide' && effect.type === 'collide' && !includesAll(effect, cause);
    const samples = contact ? (this.#index.record(via)?.samples ?? []) : [];
    const diverted = contact ? divertedBy(samples, cause.t, effect.t) : undefined;
    if (diverted !== undefined) {
      return cause.confidence * (CONTACT_FLOOR + (CONTACT_CEILING - CONTACT_FLOOR) * diverted);
    }
    const decay = Math.exp(-(effect.t - cause.t) / rule.decayS);
    return rule.prior * decay * this.#closeness(cause, effect) * cause.confidence;
  }

  /**
   * Falls with the distance between the participants of the cause, at its own time or at the effect's, whichever is
   * less, 0–1; 1 when it has but one.
   */
  #closeness(cause: ObservedEvent, effect: ObservedEvent): number {
    const [a, b] = cause.participants;
    if (a === undefined || b === undefined) return 1;
    const laterA = this.#index.boxAt(a.id, effect.t);
    const laterB = this.#index.boxAt(b.id, effect.t);
    const atCause = this.#gap(a.box, b.box);
    const gap = laterA && laterB ? Math.min(atCause, this.#gap(laterA.box, laterB.box)) : atCause;
    return Math.exp(-gap / CLOSENESS_HEIGHTS);
  }

  /** Distance of the edges of two boxes (fractions) in mean box heights. */
  #gap(a: Box, b: Box): number {
    const { width, height } = this.#index.snapshot;
    const meanHeight = Math.max(((a[3] + b[3]) / 2) * height, 1);
    return boxGap(scaleBox(a, width, height), scaleBox(b, width, height)) / meanHeight;
  }
}

function includesAll(event: ObservedEvent, other: ObservedEvent): boolean {
  return other.participants.every(({ id }) =>
    event.participants.some((participant) => participant.id === id),
  );
}

function byPlausibility(a: Link, b: Link): number {
  return b.plausibility - a.plausibility || b.cause.t - a.cause.t || (a.cause.id < b.cause.id ? -1 : 1);
}
