import { z } from 'zod';
import type { EventObserved } from '../../core/messages.js';
import { TIME_EPSILON } from '../../core/ontology.js';
import type { Episode } from '../../core/records/records.js';
import { BYTES, episodeBytes } from '../size-model.js';
import { BoundedLog } from './bounded-log.js';
import { summaryText } from './summary-text.js';

/** An episode is over when nothing has happened for this long, s. */
const PAUSE_S = 20;
/** It is cut after this long in any case, s. */
const LONGEST_S = 300;
/** …or after this many events. */
const MAX_UNDER_WAY = 1000;
/** Events and objects that an episode names at most; more are counted in its text. */
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
  /** Ids of the events of the episode under way; the log of events has the rest. */
  events: z.array(z.string()),
  from: z.number().nullable(),
  last: z.number(),
  end: z.number(),
});

/** Cuts the stream into episodes, at pauses of what happens, and sums each one up. */
export class Episodes {
  readonly log: BoundedLog<Episode>;
  #events: EventObserved[] = [];
  #from: number | undefined;
  /** When something happened last. */
  #last = 0;
  /** End of the episode before. */
  #end = 0;

  constructor(maxBytes: number) {
    this.log = new BoundedLog(episodeBytes, maxBytes);
  }

  get bytes(): number {
    return this.log.bytes + BYTES.reference * this.#events.length;
  }

  /** Takes the events told at `t`; the episodes that are over by then. */
  step(events: readonly EventObserved[], t: number): readonly Episode[] {
    const over: Episode[] = [];
    const ended = this.#from !== undefined && t - this.#last >= PAUSE_S - TIME_EPSILON;
    if (ended && events.length === 0) over.push(...this.#close(this.#last));
    for (const observed of events) this.#take(observed, t);
    const long = this.#from !== undefined && t - this.#from >= LONGEST_S - TIME_EPSILON;
    if (long || this.#events.length >= MAX_UNDER_WAY) over.push(...this.#close(t));
    return over;
  }

  /** The episode under way ends, if there is one. */
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

  /** @param known the log of events, in which those of the episode under way are found again */
  restoreState(state: z.output<typeof savedEpisodes>, known: readonly EventObserved[]): void {
    const wanted = new Set(state.events);
    this.#events = known.filter(({ event }) => wanted.has(event.id));
    this.#from = state.from ?? undefined;
    this.#last = state.last;
    this.#end = state.end;
  }

  #take(observed: EventObserved, t: number): void {
    // An event may be told after the episode of its time was: it belongs to the next one.
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

/** Text of a merged episode at most, characters. */
const MAX_TEXT = 400;

/** One episode that stands for two: what it held, in less words. Undefined where merging saves nothing. */
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
