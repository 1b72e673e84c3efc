import { z } from 'zod';
import type { ChainStep, Explanation, ObservedEvent } from '../../core/messages.js';
import { objectName } from '../../core/phrases.js';
import type { MemoryIndex } from '../explain/memory-index.js';
import { RELATIONS } from '../explain/relations.js';
import { explanationId, stepOf, UNVERIFIED } from '../explain/rules-explainer.js';
import { clauseOf } from '../explain/wording.js';
import type { Candidates } from './prompt.js';

/** Bounds of an answer: steps as in a chain by rules, texts of about one line. */
const MOST_STEPS = 4;
const MOST_CAUSES = 5;
const CLAUSE_LENGTH = 120;
const TEXT_LENGTH = 300;
const LINKING = RELATIONS.filter((relation) => relation !== 'outcome');

const probability = z.number().min(0).max(1);

/** An answer as the model gives it: references and short clauses; spans and boxes are ours to fill in. */
export interface Answer {
  readonly text: string;
  readonly chain: readonly { event: string; relation: (typeof LINKING)[number]; clause: string }[];
  readonly causes: readonly { object: string; probability: number; counterfactual: string }[];
  readonly confidence: number;
}

/** The schema of an answer about these candidates: only their ids are valid. Needs at least one event. */
export function answerSchema(candidates: Candidates): z.ZodType<Answer> {
  const step = z.object({
    event: z.enum(candidates.events.map(({ id }) => id)),
    relation: z.enum(LINKING),
    clause: z.string().max(CLAUSE_LENGTH),
  });
  const objects = candidates.thirds.map(objectName);
  const cause = z.object({
    object: z.enum(objects.length === 0 ? ['none'] : objects),
    probability,
    counterfactual: z.string().max(CLAUSE_LENGTH),
  });
  return z.object({
    text: z.string().min(1).max(TEXT_LENGTH),
    chain: z.array(step).max(MOST_STEPS),
    causes: z.array(cause).max(objects.length === 0 ? 0 : MOST_CAUSES),
    confidence: probability,
  });
}

/** The same as JSON schema, for the server's constrained decoding. */
export function answerJsonSchema(candidates: Candidates): Record<string, unknown> {
  const schema: Record<string, unknown> = { ...z.toJSONSchema(answerSchema(candidates)) };
  delete schema['$schema'];
  return schema;
}

export type ParsedAnswer = { readonly answer: Answer } | { readonly wrong: string };

/** Reads an answer out of a completion; a fence or words around the object are forgiven. */
export function parseAnswer(completion: string, candidates: Candidates): ParsedAnswer {
  const from = completion.indexOf('{');
  const to = completion.lastIndexOf('}');
  let json: unknown;
  try {
    json = JSON.parse(completion.slice(Math.max(from, 0), to + 1));
  } catch {
    return { wrong: 'it is not one JSON object' };
  }
  const parsed = answerSchema(candidates).safeParse(json);
  if (parsed.success) return { answer: parsed.data };
  const issues = parsed.error.issues.slice(0, 3);
  return { wrong: issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
}

/**
 * The explanation that an answer stands for. Spans, participants and boxes come from memory; steps are put in the order
 * of time and an event cited twice counts once.
 */
export function explanationOf(
  answer: Answer,
  event: ObservedEvent,
  index: MemoryIndex,
  by: Explanation['by'],
): Explanation {
  const steps = new Map<string, ChainStep>();
  for (const { event: id, relation, clause } of answer.chain) {
    const cited = index.event(id);
    if (cited !== undefined && !steps.has(id)) steps.set(id, stepOf(index, cited, relation, clause));
  }
  const chain = [...steps.values()].sort((a, b) => a.from - b.from);
  return {
    id: explanationId(event),
    of: event.id,
    text: answer.text,
    chain: chain.length === 0 ? [] : [...chain, stepOf(index, event, 'outcome', clauseOf(event))],
    causes: answer.causes.map(({ object, ...rest }) => ({ object: object.replace(/^#/, 'o'), ...rest })),
    confidence: answer.confidence,
    verified: UNVERIFIED,
    by,
  };
}
