import type { Answer } from '../core/messages.js';
import { answerQuery, misunderstood } from './answers/answer.js';
import { exampleQuestions, parseQuestion } from './parser/parse.js';
import type { Recollection } from './recollection.js';

/** Answers questions that the grammar does not understand. Rejects with `backend_failed`. */
export interface QuestionBackend {
  readonly name: string;
  /** Undefined when it has no answer that memory bears out. */
  answer(question: string, memory: Recollection): Promise<Answer | undefined>;
}

export type Asked =
  | { readonly understood: true; readonly answer: Answer; readonly by: string }
  /** What was not understood, and what can be asked. */
  | {
      readonly understood: false;
      readonly problem: string;
      readonly examples: readonly string[];
      readonly text: string;
    };

export interface AskOptions {
  /** Labels that may be named besides those in memory. */
  readonly labels?: readonly string[];
  /** Asked when the grammar does not understand. */
  readonly backend?: QuestionBackend | undefined;
}

/**
 * Answers a question about a stream: by the grammar where that understands every word, else by the backend. Rejects
 * with what the backend rejects with, and with `inference_failed`, `worker_crashed` or `interrupted` of a look.
 */
export async function ask(question: string, memory: Recollection, options: AskOptions = {}): Promise<Asked> {
  const places = [...Object.keys(memory.places.zones), ...Object.keys(memory.places.lines)];
  const seen = memory.queries.objects().map(({ label }) => label);
  const vocabulary = { labels: [...new Set([...(options.labels ?? []), ...seen])], places };
  const query = parseQuestion(question, vocabulary, memory.now);
  if (!('problem' in query))
    return { understood: true, answer: await answerQuery(question, query, memory), by: 'grammar' };
  const { backend } = options;
  const answer = await backend?.answer(question, memory);
  if (answer !== undefined && backend !== undefined) return { understood: true, answer, by: backend.name };
  const problem =
    backend === undefined
      ? query.problem
      : `${query.problem}; and ${backend.name} gave no answer that memory bears out`;
  const examples = exampleQuestions(places);
  return { understood: false, problem, examples, text: misunderstood(problem, examples) };
}
