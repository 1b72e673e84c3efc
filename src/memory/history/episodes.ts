import { z } from 'zod';
import type { EventObserved } from '../../core/messages.js';
import { TIME_EPSILON } from '../../core/ontology.js';
import type { Episode } from '../../core/records/records.js';
import { BYTES, episodeBytes } from '../size-model.js';
import { BoundedLog } from './bounded-log.js';
import { summaryText } from './summary-text.js';

/** An episode ends when no event has happened for this long, s. */
const PAUSE_S = 20;
/** Maximum length of an episode, s. */
const MAX_LENGTH_S = 300;
/** Maximum number of events of an open episode. */
const MAX_OPEN_EVENTS = 1000;
/** Maximum numbers of events and objects in an episode; further ones are counted in its text. */
const MAX_EVENTS = 200;
const MAX_OBJECTS = 100;

export const savedEpisode = z.object({
  from: z.number(),
  to: z.number(),
  text: z.string(),
  events: z.array(z.string()),
  objects: z.array(z.string()),
});
export const savedEpisodes = z.object({
  /** Ids of the events of the open episode; the log of events holds their content. */
  events: z.array(z.string()),
  from: z.number().nullable(),
  last: z.number(),
  end: z.number(),
});

/** Divides the stream into episodes at pauses between events, and summarises each. */
export class Episodes {
  readonly log: BoundedLog<Episode>;
  #events: EventObserved[] = [];
  #from: number | undefined;
  /** Time of the last event. */
  #last = 0;
  /** End of the previous episode. */
  #end = 0;

  constructor(maxBytes: number) {
    this.log = new BoundedLog(episodeBytes, maxBytes);
  }

  get bytes(): number {
    return this.log.bytes + BYTES.reference * this.#events.length;
  }

  /** Adds the events of the percept at `t`; returns the episodes that end with it. */
  step(events: readonly EventObserved[], t: number): readonly Episode[] {
    const over: Episode[] = [];
    const ended = this.#from !== undefined && t - this.#last >= PAUSE_S - TIME_EPSILON;
    if (ended && events.length === 0) over.push(...this.#close(this.#last));
    for (const observed of events) this.#take(observed, t);
    const long = this.#from !== undefined && t - this.#from >= MAX_LENGTH_S - TIME_EPSILON;
    if (long || this.#events.length >= MAX_OPEN_EVENTS) over.push(...this.#close(t));
    return over;
  }

  /** Ends the open episode, if any. */
  finish(t: number): readonly Episode[] {
    return this.#close(Math.min(this.#last, t));
  }

  saveState(): z.input<typeof savedEpisodes> {
    return {
      events: this.#events.map(({ event }) => event.id),
      from: this.#from ?? null,
      last: this.#last,
      end: this.#end,
    };
  }

  /** @param known the log of events, which contains those of the open episode */
  restoreState(state: z.output<typeof savedEpisodes>, known: readonly EventObserved[]): void {
    const ids = new Set(state.events);
    this.#events = known.filter(({ event }) => ids.has(event.id));
    this.#from = state.from ?? undefined;
    this.#last = state.last;
    this.#end = state.end;
  }

  #take(observed: EventObserved, t: number): void {
    // An event may be emitted after the episode of its time has ended: it belongs to the next one.
    const at = Math.max(observed.event.t, this.#end);
    this.#from = Math.min(this.#from ?? at, at);
    this.#last = Math.min(Math.max(this.#last, observed.event.to ?? at), t);
    this.#events.push(observed);
  }

  #close(to: number): readonly Episode[] {
    if (this.#from === undefined) return [];
    const objects = new Set(this.#events.flatMap(({ event }) => event.participants.map(({ id }) => id)));
    const episode: Episode = {
      from: this.#from,
      to: Math.max(to, this.#from),
      text: summaryText(this.#events.map(({ event }) => event)),
      events: this.#events.slice(0, MAX_EVENTS).map(({ event }) => event.id),
      objects: [...objects].slice(0, MAX_OBJECTS),
    };
    this.#events = [];
    this.#from = undefined;
    this.#end = episode.to;
    this.#last = episode.to;
    this.log.add(episode, merge);
    return [episode];
  }
}

/** Maximum length of the text of a merged episode, characters. */
const MAX_TEXT = 400;

/** One episode in place of two, with shortened lists and text. Undefined where merging saves nothing. */
function merge(a: Episode, b: Episode): Episode | undefined {
  const cut = (text: string): string =>
    text.length <= MAX_TEXT / 2 ? text : `${text.slice(0, MAX_TEXT / 2 - 1)}…`;
  const merged: Episode = {
    from: a.from,
    to: Math.max(a.to, b.to),
    text: `${cut(a.text)} ${cut(b.text)}`,
    events: [...a.events, ...b.events].slice(0, MAX_EVENTS / 2),
    objects: [...new Set([...a.objects, ...b.objects])].slice(0, MAX_OBJECTS / 2),
  };
  return episodeBytes(merged) < episodeBytes(a) + episodeBytes(b) - BYTES.episode / 2 ? merged : undefined;
}
