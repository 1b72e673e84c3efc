import { z } from 'zod';
import { PresageError } from '../../../core/errors.js';
import type { Answer, ObservedEvent } from '../../../core/messages.js';
import { objectName, objectPhrase } from '../../../core/text/object-names.js';
import type { ObjectHistory } from '../../../core/records/records.js';
import type { QuestionBackend } from '../../../ask/ask.js';
import { clauseOf } from '../../../ask/answers/phrasing.js';
import type { Recollection } from '../../../ask/recollection.js';
import { ChatClient, type ChatClientDeps, type ChatMessage } from './chat-client.js';
import type { OpenAiConfig } from './config.js';
import { systemClock } from '../../../core/clock.js';
import { ToolBox } from '../../../ask/tools/tool-box.js';
import { repairPrompt } from './prompt.js';
import { withinTime } from './time-limit.js';
import { ToolLoop, withToolResults, type ToolUse } from './tool-loop.js';

/** Bounds that keep a prompt under about 1,000 tokens, so that a model with a context of 2,048 can answer. */
const MAX_EVENTS = 16;
const MAX_OBJECTS = 10;
const MAX_EPISODES = 2;
const TEXT_LENGTH = 240;
/** Words of an answer that name things: `#7`, `o7`, `e12`. */
const NAMES = /#(\d+)\b|\b([oe]\d+)\b/g;

/** What of memory is shown to the model, and all that it may name. */
interface Retrieved {
  readonly objects: readonly ObjectHistory[];
  readonly events: readonly ObservedEvent[];
  readonly episodes: readonly string[];
}

interface Said {
  readonly text: string;
  readonly events: readonly string[];
  readonly objects: readonly string[];
  readonly confidence: number;
}

const SYSTEM =
  'You answer questions about what a camera saw. Use only the objects and events listed; where they do not tell, say ' +
  'that you do not know. Answer with one JSON object: "events": ids of the events that the answer rests on, "objects": ' +
  'the objects it is about (such as #3), "text": the answer in one or two short sentences, "confidence" (0 to 1).';

/**
 * Lets a language model answer from retrieved memory. Ids that it cites, in lists or in its text, must be among what it
 * was shown, or the answer is not taken.
 */
export class OpenAiAsker implements QuestionBackend {
  readonly name = 'openai';
  readonly #config: OpenAiConfig;
  readonly #client: ChatClient;
  readonly #tools: ToolLoop;

  constructor(config: OpenAiConfig, parts: ChatClientDeps = {}) {
    this.#config = config;
    this.#client = new ChatClient(config, parts);
    this.#tools = new ToolLoop({ client: this.#client, clock: systemClock, timeoutMs: config.timeoutMs });
  }

  async answer(question: string, memory: Recollection): Promise<Answer | undefined> {
    const retrieved = retrieve(question, memory);
    if (retrieved.events.length + retrieved.objects.length === 0) return undefined;
    const answered = await withinTime(
      (limit) => this.#ask(question, memory, retrieved, limit),
      this.#config.timeoutMs,
    );
    if (answered === undefined) return undefined;
    const { said, looks } = answered;
    return {
      question,
      text: said.text,
      evidence: evidenceOf(said, retrieved),
      confidence: said.confidence,
      ...(looks.length > 0 && { inspections: [...looks] }),
    };
  }

  async #ask(
    question: string,
    memory: Recollection,
    retrieved: Retrieved,
    limit: AbortSignal,
  ): Promise<{ said: Said; looks: ToolUse['inspections'] } | undefined> {
    const prompt = promptFor(question, memory, retrieved);
    const used = await this.#useTools(prompt, memory, limit);
    const { inspections: looks } = used;
    const early = used.said === undefined ? undefined : read(used.said, retrieved);
    if (early && 'said' in early) return { said: early.said, looks };
    const messages = withToolResults(prompt, used);
    const schema = { ...z.toJSONSchema(saidSchema(retrieved)) } as Record<string, unknown>;
    delete schema['$schema'];
    const completion = await this.#client.complete({ messages, schema }, limit);
    const first = read(completion, retrieved);
    if ('said' in first) return { said: first.said, looks };
    const again = repairPrompt(messages, completion, first.wrong);
    const second = read(await this.#client.complete({ messages: again, schema }, limit), retrieved);
    if ('said' in second) return { said: second.said, looks };
    // An answer of the right form about what does not exist is no failure of the server: it is just not true.
    if (second.invented) return undefined;
    throw new PresageError(
      'backend_failed',
      `The language model's answer is not of the schema: ${second.wrong}`,
    );
  }

  async #useTools(
    prompt: readonly ChatMessage[],
    { queries, now, video }: Recollection,
    limit: AbortSignal,
  ): Promise<ToolUse> {
    if (!this.#config.tools) return { reported: [], inspections: [], said: undefined };
    return this.#tools.run(prompt, new ToolBox({ queries, now, video }), limit);
  }
}

/** What memory holds on the words of the question, filled up with the newest. */
function retrieve(question: string, { queries }: Recollection): Retrieved {
  const hits = queries.search(question, MAX_EVENTS);
  const events = new Map<string, ObservedEvent>();
  for (const hit of hits) if ('event' in hit) events.set(hit.event.event.id, hit.event.event);
  const named = hits.flatMap((hit) => ('object' in hit ? [hit.object] : []));
  for (const { id } of named.slice(0, MAX_OBJECTS)) {
    for (const { event } of queries.events({ objects: [id], limit: MAX_EVENTS / 2, keep: 'newest' }))
      add(event);
  }
  for (const { event } of [...queries.events({ limit: MAX_EVENTS, keep: 'newest' })].reverse()) add(event);
  const listed = [...events.values()].sort((x, y) => x.t - y.t);
  const ids = new Set([
    ...named.map(({ id }) => id),
    ...listed.flatMap(({ participants }) => participants.map(({ id }) => id)),
  ]);
  const objects = queries.objects({ ids: [...ids].slice(0, MAX_OBJECTS) });
  const episodes = queries.episodes({ limit: MAX_EPISODES, keep: 'newest' }).map(({ text }) => text);
  return { objects, events: listed, episodes };

  function add(event: ObservedEvent): void {
    if (events.size < MAX_EVENTS) events.set(event.id, event);
  }
}

function promptFor(
  question: string,
  { now }: Recollection,
  { objects, events, episodes }: Retrieved,
): ChatMessage[] {
  const text = [
    `Now it is ${now.toFixed(1)} s.`,
    'Objects:',
    ...objects.map(
      (object) =>
        `${objectPhrase(object)}, in view ${object.firstSeen.toFixed(1)} to ${object.lastSeen.toFixed(1)} s`,
    ),
    'Events:',
    ...events.map((event) => `${event.id} (at ${event.t.toFixed(1)} s): ${clauseOf(event)}`),
    ...(episodes.length > 0 ? ['Summaries:', ...episodes] : []),
    `Question: ${question}`,
  ].join('\n');
  return [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: text },
  ];
}

function saidSchema({ objects, events }: Retrieved): z.ZodType<Said> {
  const idsOf = (ids: readonly string[]): z.ZodType<string> => z.enum(ids.length === 0 ? ['none'] : [...ids]);
  return z.object({
    events: z.array(idsOf(events.map(({ id }) => id))).max(Math.min(events.length, MAX_EVENTS)),
    objects: z.array(idsOf(objects.map(({ id }) => objectName(id)))).max(objects.length),
    text: z.string().min(1).max(TEXT_LENGTH),
    confidence: z.number().min(0).max(1),
  });
}

type Read = { readonly said: Said } | { readonly wrong: string; readonly invented: boolean };

/** Reads an answer and verifies it: everything it names must be among what was retrieved. */
function read(completion: string, retrieved: Retrieved): Read {
  let json: unknown;
  try {
    json = JSON.parse(
      completion.slice(Math.max(completion.indexOf('{'), 0), completion.lastIndexOf('}') + 1),
    );
  } catch {
    return { wrong: 'it is not one JSON object', invented: false };
  }
  const parsed = saidSchema(retrieved).safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    return { wrong: `${where}: ${issue?.message ?? ''}`, invented: /^(events|objects)/.test(where) };
  }
  const known = new Set([...retrieved.objects, ...retrieved.events].map(({ id }) => id));
  const named = [...parsed.data.text.matchAll(NAMES)].map(([, number, id]) => id ?? `o${number ?? ''}`);
  const unknown = named.find((id) => !known.has(id));
  if (unknown !== undefined) return { wrong: `it names ${unknown}, which is not listed`, invented: true };
  if (!/\p{L}{2}/u.test(parsed.data.text)) return { wrong: 'the text has no words', invented: false };
  return { said: parsed.data };
}

function evidenceOf(said: Said, { objects, events }: Retrieved): Answer['evidence'] {
  const cited = events.filter(({ id }) => said.events.includes(id));
  const about = objects.filter(({ id }) => said.objects.includes(objectName(id)));
  return [
    ...cited.map(({ id, participants, t, to }) => ({
      objects: participants.map((one) => one.id),
      events: [id],
      from: t,
      to: to ?? t,
    })),
    ...about.map(({ id, firstSeen, lastSeen }) => ({
      objects: [id],
      events: [],
      from: firstSeen,
      to: lastSeen,
    })),
  ];
}
