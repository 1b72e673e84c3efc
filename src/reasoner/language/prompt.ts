import { FAST, SLOW, type EventType } from '../../core/ontology.js';
import type { Situation, SituationObject, SituationEvent } from './situation.js';

/** The budget of a prompt: with the prefix about 250 tokens. */
export const MAX_OBJECTS = 12;
const MAX_EVENTS = 12;
/** Items whose participants have no order: told by slot. */
const SYMMETRIC: ReadonlySet<EventType> = new Set<EventType>(['meet', 'collide']);

/**
 * What of a situation is written (docs/fused-model.md, "Text"), and under which names. The same as
 * training/data/text/situations.py writes; test/fixtures/fused/prompts.json holds both to it.
 */
export class Listing {
  readonly at: number;
  /** By slot. */
  readonly things: readonly SituationObject[];
  /** By number, in order of time. */
  readonly events: readonly SituationEvent[];
  readonly #slots: ReadonlyMap<string, number>;

  /** @param focus the event in question: it and its participants are always told */
  constructor(situation: Situation, focus?: SituationEvent) {
    this.at = situation.at;
    this.things = byRelevance(situation, focus);
    this.#slots = new Map(this.things.map(({ id }, slot) => [id, slot]));
    const told = situation.events.filter(({ participants }) =>
      participants.every((id) => this.#slots.has(id)),
    );
    const newest = told.slice(-MAX_EVENTS);
    const lacks = focus !== undefined && !newest.some(({ id }) => id === focus.id);
    if (lacks) newest.splice(0, newest.length === MAX_EVENTS ? 1 : 0, focus);
    this.events = newest;
  }

  /** `#1`; undefined for an object that is not listed. */
  slot(id: string): string | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : `#${slot + 1}`;
  }

  /** `e1`; undefined for an event that is not listed. */
  number(eventId: string): string | undefined {
    const at = this.events.findIndex(({ id }) => id === eventId);
    return at < 0 ? undefined : `e${at + 1}`;
  }

  /** Objects and events, each in its line. */
  text(): string {
    const objects = this.things.map(
      (thing) => `${this.slot(thing.id) ?? ''} ${thing.label} ${stateOf(thing)}\n`,
    );
    const events = this.events.map((event) => `${this.#eventLine(event)}\n`);
    return ['objects\n', ...objects, 'events\n', ...events].join('');
  }

  /** The candidate for an item of the forecast; undefined where it names what is not listed. */
  item(type: EventType, participants: readonly string[], zone?: number): string | undefined {
    const slots = participants.map((id) => this.#slots.get(id));
    if (!slots.every((slot) => slot !== undefined)) return undefined;
    const ordered = SYMMETRIC.has(type) ? [...slots].sort((a, b) => a - b) : slots;
    return `${[type, ...ordered.map((slot) => `#${slot + 1}`), ...zoneNames(zone)].join(' ')} `;
  }

  /** Candidates for necessary objects of an event: who is listed and took no part. */
  needs(focus: SituationEvent): readonly { readonly object: string; readonly text: string }[] {
    return this.things
      .filter(({ id }) => !focus.participants.includes(id))
      .map(({ id }) => ({ object: id, text: `needs ${this.slot(id) ?? ''} ` }));
  }

  #eventLine(event: SituationEvent): string {
    const who = event.participants.map((id) => this.slot(id) ?? '');
    const ago = tenths(this.at - event.t);
    return [this.number(event.id) ?? '', event.type, ...who, ...zoneNames(event.zone), ago].join(' ');
  }
}

/** Participants of the event in question, then of the events from the newest back, then the rest: in view, then gone. */
function byRelevance(
  { things, events }: Situation,
  focus: SituationEvent | undefined,
): readonly SituationObject[] {
  const known = new Map(things.map((thing) => [thing.id, thing]));
  const told = [...(focus ? [focus] : []), ...[...events].reverse()];
  const named = told.flatMap(({ participants }) => participants.flatMap((id) => known.get(id) ?? []));
  const order = new Set([...named, ...things.filter(({ inView }) => inView), ...things]);
  return [...order].slice(0, MAX_OBJECTS);
}

function stateOf({ inView, speed }: SituationObject): string {
  if (!inView) return 'gone';
  if (speed === undefined) return 'slow';
  return speed > FAST ? 'moving' : speed < SLOW ? 'standing' : 'slow';
}

function zoneNames(zone: number | undefined): string[] {
  return zone === undefined ? [] : [`z${zone}`];
}

/** One decimal, halves up, never below 0. */
function tenths(seconds: number): string {
  return (Math.max(0, Math.floor(seconds * 10 + 0.5)) / 10).toFixed(1);
}
