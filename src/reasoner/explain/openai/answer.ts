import { z } from 'zod';
import type { ChainStep, Explanation, ObservedEvent } from '../../../core/messages.js';
import { objectName } from '../../../core/text/object-names.js';
import type { MemoryIndex } from '../memory-index.js';
import { CAUSAL_RELATIONS } from '../rules/relations.js';
import { explanationId, stepOf, UNVERIFIED } from '../rules/rules-explainer.js';
import { clauseOf } from '../rules/wording.js';
import type { Candidates } from './prompt.js';

/** Bounds of an answer: steps as in a chain by rules, texts of about one line. */
const MAX_STEPS = 4;
const MAX_CAUSES = 5;
const CLAUSE_LENGTH = 100;
const TEXT_LENGTH = 200;
const LINKING = CAUSAL_RELATIONS.filter((relation) => relation !== 'outcome');

const probability = z.number().min(0).max(1);
/**
 * Probabilities that constrained decoding offers: grammars of servers ignore `minimum` and `maximum`, and small models
 * have no finer feeling. An answer given freely may have any number from 0 to 1.
 */
const BINS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;

/** An answer as the model gives it: references and short clauses; spans and boxes are ours to fill in. */
export interface Answer {
  readonly text: string;
  readonly chain: readonly { event: string; relation: (typeof LINKING)[number]; clause: string }[];
  readonly causes: readonly { object: string; probability: number; counterfactual: string }[];
  readonly confidence: number;
}

/** The schema of an answer about these candidates: only their ids are valid. There must be an event to cite. */
function answerSchema(candidates: Candidates, chance: z.ZodType<number> = probability): z.ZodType<Answer> {
  const step = z.object({
    event: z.enum(candidates.events.map(({ id }) => id)),
    relation: z.enum(LINKING),
    clause: z.string().max(CLAUSE_LENGTH),
  });
  const objects = candidates.thirds.map(objectName);
  const cause = z.object({
    object: z.enum(objects.length === 0 ? ['none'] : objects),
    probability: chance,
    counterfactual: z.string().max(CLAUSE_LENGTH),
  });
  return z.object({
    chain: z.array(step).min(1).max(MAX_STEPS),
    causes: z.array(cause).max(Math.min(objects.length, MAX_CAUSES)),
    // After the references, so that the sentence is written with them in view.
    text: z.string().min(1).max(TEXT_LENGTH),
    confidence: chance,
  });
}

/** The same as JSON schema, for the server's constrained decoding. */
export function answerJsonSchema(candidates: Candidates): Record<string, unknown> {
  const schema: Record<string, unknown> = { ...z.toJSONSchema(answerSchema(candidates, z.literal(BINS))) };
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
 * of time and an event cited twice counts once. A clause without words is replaced by ours.
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
    if (cited !== undefined && !steps.has(id)) {
      steps.set(id, stepOf(index, cited, relation, inWords(clause) ?? clauseOf(cited)));
    }
  }
  const chain = [...steps.values()].sort((a, b) => a.from - b.from);
  return {
    id: explanationId(event),
    of: event.id,
    text: inWords(answer.text) ?? `${clauseOf(event)}.`,
    chain: chain.length === 0 ? [] : [...chain, stepOf(index, event, 'outcome', clauseOf(event))],
    causes: answer.causes.map(({ object, probability, counterfactual }) => ({
      object: object.replace(/^#/, 'o'),
      probability,
      counterfactual: inWords(counterfactual) ?? `Without ${object}, this event might not have happened.`,
    })),
    confidence: answer.confidence,
    verified: UNVERIFIED,
    by,
  };
}

/** The text when it has a word of two letters or more; small models sometimes answer with a bare number. */
function inWords(text: string): string | undefined {
  return /\p{L}{2}/u.test(text) ? text : undefined;
}
