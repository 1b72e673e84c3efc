import { FAST, SLOW } from '../../../core/ontology.js';
import type { ObservedEvent } from '../../../core/messages.js';
import { objectName } from '../../../core/text/object-names.js';
import type { MemoryIndex } from '../memory-index.js';
import { clauseOf } from '../rules/wording.js';
import type { ChatContent, ChatMessage } from './chat-client.js';

/** What the model may refer to: nothing else exists for it. */
export interface Candidates {
  /** Earlier events around the explained one, oldest first. */
  readonly events: readonly ObservedEvent[];
  /** Ids of the objects in these events that took no part in the explained one. */
  readonly thirds: readonly string[];
}

/** Bounds that keep a prompt under about 1,000 tokens, so that a model with a context of 2,048 can answer. */
const MAX_EVENTS = 12;
const MAX_THIRDS = 8;
/** Relations offered at most. */
const MAX_RELATIONS = 6;
/** Events older than this are not offered, s. */
const HISTORY_S = 15;

/**
 * Earlier events that share an object with the explained one, or with one that does, and so on: nearest first until
 * the bound is reached.
 */
export function candidatesFor(index: MemoryIndex, event: ObservedEvent): Candidates {
  const own = new Set(event.participants.map(({ id }) => id));
  const objects = [...own];
  const events = new Map<string, ObservedEvent>();
  for (const id of objects) {
    const earlier = index.eventsOf(id).filter(({ t }) => t < event.t && t >= event.t - HISTORY_S);
    for (const one of [...earlier].reverse()) {
      if (one.id === event.id || events.size >= MAX_EVENTS) continue;
      events.set(one.id, one);
      for (const participant of one.participants) {
        if (!objects.includes(participant.id)) objects.push(participant.id);
      }
    }
  }
  const listed = [...events.values()].sort((a, b) => a.t - b.t || (a.id < b.id ? -1 : 1));
  const cited = new Set(listed.flatMap(({ participants }) => participants.map(({ id }) => id)));
  const thirds = objects.filter((id) => !own.has(id) && cited.has(id)).slice(0, MAX_THIRDS);
  return { events: listed, thirds };
}

const SYSTEM =
  'You explain events seen by a camera. Use only the events and objects listed. Answer with one JSON object: ' +
  '"chain": earlier events that led to the explained one, oldest first, each with "event" (its id), "relation" ' +
  '(enables, triggers, pushes, blocks or precedes) and "clause" (who did what, in a few words); "causes": other ' +
  'objects without which it would not have happened, each with "object" (such as #3), "probability" (0 to 1) and ' +
  '"counterfactual" (what would have happened without it); "text": one short sentence that says why; ' +
  '"confidence" (0 to 1).';

const PICTURES =
  'The pictures are frames of the camera, oldest first; the last one marks the participants of the event.';

/** The question as chat messages; `images` are data URLs of keyframes, oldest first. */
export function promptFor(
  index: MemoryIndex,
  event: ObservedEvent,
  candidates: Candidates,
  images: readonly string[],
): ChatMessage[] {
  const objects = [...event.participants.map(({ id }) => id), ...candidates.thirds];
  const text = [
    ...(images.length > 0 ? [PICTURES] : []),
    'Objects:',
    ...objects.map((id) => `${objectName(id)} ${index.label(id) ?? 'object'}${motion(index, id)}`),
    ...relationLines(index, event, new Set(objects)),
    'Earlier events:',
    ...candidates.events.map((one) => `${one.id} (at ${one.t.toFixed(1)} s): ${clauseOf(one)}`),
    `Explain ${event.id} (at ${event.t.toFixed(1)} s): ${clauseOf(event)}. Why did it happen?`,
  ].join('\n');
  const content: ChatContent =
    images.length === 0
      ? text
      : [
          ...images.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
          { type: 'text', text },
        ];
  return [
    { role: 'system', content: SYSTEM },
    { role: 'user', content },
  ];
}

/** The one repair: what was wrong with the answer, and the answer itself cut short. */
export function repairPrompt(messages: readonly ChatMessage[], answer: string, wrong: string): ChatMessage[] {
  return [
    ...messages,
    { role: 'assistant', content: answer.slice(0, MAX_QUOTED) },
    { role: 'user', content: `That was not valid: ${wrong}. Answer again, with the JSON object only.` },
  ];
}

/** Characters of a failed answer that are shown back to the model: enough to see it, too few to fill its context. */
const MAX_QUOTED = 600;

/** What held between the objects around the time of the event, the newest last. */
function relationLines(index: MemoryIndex, event: ObservedEvent, objects: ReadonlySet<string>): string[] {
  const held = index.snapshot.relations.filter(
    ({ a, b, from, to }) => objects.has(a) && objects.has(b) && from <= event.t && to >= event.t - HISTORY_S,
  );
  const lines = held.slice(-MAX_RELATIONS).map(({ kind, a, b, from, to, open }) => {
    const until = open ? 'now' : `${to.toFixed(1)} s`;
    return `${objectName(a)} ${kind.replace('-', ' ')} ${objectName(b)} (from ${from.toFixed(1)} s to ${until})`;
  });
  return lines.length === 0 ? [] : ['Relations:', ...lines];
}

function motion(index: MemoryIndex, id: string): string {
  const speed = index.record(id)?.samples.at(-1)?.speed;
  if (speed === undefined) return '';
  return speed > FAST ? ', moving' : speed < SLOW ? ', standing' : ', slow';
}
