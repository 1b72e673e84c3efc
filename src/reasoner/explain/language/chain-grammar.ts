import type { AnswerGrammar } from '../../../core/learned-models.js';
import type { ObservedEvent } from '../../../core/messages.js';
import { MAX_STEPS } from '../rules/chain.js';
import type { EventGraph, Link } from '../rules/event-graph.js';
import type { CausalRelation } from '../rules/relations.js';

/** Links less plausible than this are not offered. */
const MIN_PLAUSIBLE = 0.05;

/** Where in a chain one is: an event and its relation to the next have been said. */
interface Place {
  readonly event: ObservedEvent;
  readonly relation: CausalRelation;
  /** Links that may still follow, that of the relation included. */
  readonly left: number;
}

interface Edge {
  readonly text: string;
  readonly to: number;
}

/**
 * All chains that may be told of an event, as a grammar of lines `e1 pushes` and last `e3 outcome`: of events that are
 * listed, each before the next, sharing an object with it, by a relation that relations.ts has for the two. So whatever
 * is said can be cited.
 */
export class ChainGrammar {
  readonly #outcome: ObservedEvent;
  readonly #numbers: ReadonlyMap<string, string>;
  /** Links by the event that they come from. */
  readonly #links = new Map<string, Link[]>();
  readonly #states: Edge[][] = [[]];
  readonly #places = new Map<string, number>();
  readonly #start: number;

  /** @param numbers what listed events are called (`e3`), by id; without the event's own nothing can be told */
  constructor(graph: EventGraph, event: ObservedEvent, numbers: ReadonlyMap<string, string>) {
    this.#outcome = event;
    this.#numbers = numbers;
    this.#collect(graph, event, MAX_STEPS - 1, new Set());
    const causes = [...this.#links.values()].flatMap((links) => links.slice(0, 1).map(({ cause }) => cause));
    this.#start = this.#states.length;
    this.#states.push([]);
    const edges = this.#lines(causes.sort(byTime), MAX_STEPS - 1);
    this.#states[this.#start] = [{ text: this.#line(event, 'outcome'), to: END }, ...edges];
  }

  get grammar(): AnswerGrammar {
    return { start: this.#start, states: this.#states };
  }

  /** True when there is anything to choose. */
  get isOpen(): boolean {
    return (this.#states[this.#start]?.length ?? 0) > 1;
  }

  /** The links of an answer, first cause first; undefined for a text that the grammar does not allow. */
  linksOf(text: string): readonly Link[] | undefined {
    const lines = text
      .split('\n')
      .slice(0, -1)
      .map((line) => /^(e\d+) (\w+)$/.exec(line));
    const ids = new Map([...this.#numbers].map(([id, number]) => [number, id]));
    const links = lines.slice(0, -1).map((line, i) => {
      const [from, to] = [ids.get(line?.[1] ?? ''), ids.get(lines[i + 1]?.[1] ?? '')];
      const all = this.#links.get(from ?? '') ?? [];
      return all.find(({ effect, rule }) => effect.id === to && rule.relation === line?.[2]);
    });
    const last = lines.at(-1);
    const ends = last?.[2] === 'outcome' && ids.get(last[1] ?? '') === this.#outcome.id;
    return ends && links.every((link) => link !== undefined) ? links : undefined;
  }

  /** Links between listed events that lead to the outcome. */
  #collect(graph: EventGraph, effect: ObservedEvent, left: number, seen: Set<string>): void {
    if (left === 0 || seen.has(`${effect.id}/${left}`)) return;
    seen.add(`${effect.id}/${left}`);
    for (const link of graph.antecedents(effect)) {
      const { id } = link.cause;
      if (link.plausibility < MIN_PLAUSIBLE || id === this.#outcome.id || !this.#numbers.has(id)) continue;
      const known = this.#links.get(id) ?? [];
      if (!known.some((other) => other.effect.id === effect.id)) this.#links.set(id, [...known, link]);
      this.#collect(graph, link.cause, left - 1, seen);
    }
  }

  /** One line for each of the events and each relation by which it leads on to the outcome. */
  #lines(events: readonly ObservedEvent[], left: number): Edge[] {
    return events.flatMap((event) => {
      const relations = new Set((this.#links.get(event.id) ?? []).map(({ rule }) => rule.relation));
      return [...relations].flatMap((relation) => {
        const to = this.#state({ event, relation, left });
        return to === undefined ? [] : [{ text: this.#line(event, relation), to }];
      });
    });
  }

  /** Number of the state after a line; undefined where nothing leads on from it. */
  #state({ event, relation, left }: Place): number | undefined {
    if (left === 0) return undefined;
    const key = `${event.id}/${relation}/${left}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known < 0 ? undefined : known;
    const next = (this.#links.get(event.id) ?? [])
      .filter(({ rule }) => rule.relation === relation)
      .map(({ effect }) => effect);
    const ends = next.some(({ id }) => id === this.#outcome.id);
    const on = this.#lines(next.filter(({ id }) => id !== this.#outcome.id).sort(byTime), left - 1);
    const edges = [...(ends ? [{ text: this.#line(this.#outcome, 'outcome'), to: END }] : []), ...on];
    if (edges.length === 0) {
      this.#places.set(key, -1);
      return undefined;
    }
    this.#places.set(key, this.#states.length);
    return this.#states.push(edges) - 1;
  }

  #line(event: ObservedEvent, relation: CausalRelation): string {
    return `${this.#numbers.get(event.id) ?? ''} ${relation}\n`;
  }
}

/** The state without edges. */
const END = 0;

function byTime(a: ObservedEvent, b: ObservedEvent): number {
  return a.t - b.t || (a.id < b.id ? -1 : 1);
}
