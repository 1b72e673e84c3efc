import { systemClock, type Clock } from '../../../core/clock.js';
import { PresageError, toPresageError } from '../../../core/errors.js';
import type { Explanation, ObservedEvent } from '../../../core/messages.js';
import type { Explainer } from '../../../core/reasoner.js';
import type { MemorySnapshot } from '../../../core/memory.js';
import { RecordQueries } from '../../../core/records/query.js';
import type { VideoInspector } from '../../../core/inspection.js';
import { recordsOfSnapshot } from '../../../ask/tools/snapshot-records.js';
import { ToolBox } from '../../../ask/tools/tool-box.js';
import { ToolLoop, withToolResults, type ToolLoopStats, type ToolUse } from './tool-loop.js';
import { MemoryIndex } from '../memory-index.js';
import { salienceOf } from '../rules/salience.js';
import { answerJsonSchema, explanationOf, parseAnswer, type Answer } from './answer.js';
import { ChatClient, type ChatClientDeps, type ChatClientStats, type ChatMessage } from './chat-client.js';
import type { OpenAiConfig } from './config.js';
import { withinTime } from './time-limit.js';
import { candidatesFor, promptFor, repairPrompt, type Candidates } from './prompt.js';

/** Pictures of an event as JPEG data URLs, oldest first; empty when there are none. */
export type Keyframes = (event: ObservedEvent) => Promise<readonly string[]> | readonly string[];

export interface OpenAiExplainerOptions extends ChatClientDeps {
  /** See `openAiConfig`, which checks it. */
  readonly config: OpenAiConfig;
  /** Asked only when `config.images`. */
  readonly keyframes?: Keyframes;
  /** Recent video, for the tool that looks at it again. */
  readonly video?: VideoInspector | undefined;
  /** Measures `by.ms`. Default: the system's clock. */
  readonly clock?: Clock;
}

export interface OpenAiExplainerStats extends ChatClientStats, ToolLoopStats {
  readonly explained: number;
  readonly failed: number;
  /** Answers that were not of the schema and were asked for again. */
  readonly repairs: number;
}

/** Pictures sent with one question: more would not fit small contexts. */
const MAX_IMAGES = 4;

/**
 * Explains with a language model on an OpenAI-compatible server. The model chooses among ids of memory and words short
 * clauses; times and boxes are filled in from memory. Whoever publishes the explanation verifies it (Verifier.repair).
 */
export class OpenAiExplainer implements Explainer {
  readonly name = 'openai';
  readonly #options: OpenAiExplainerOptions;
  readonly #client: ChatClient;
  readonly #clock: Clock;
  readonly #tools: ToolLoop;
  readonly #counts = { explained: 0, failed: 0, repairs: 0 };

  constructor(options: OpenAiExplainerOptions) {
    this.#options = options;
    this.#client = new ChatClient(options.config, options);
    this.#clock = options.clock ?? systemClock;
    const { timeoutMs } = options.config;
    this.#tools = new ToolLoop({ client: this.#client, clock: this.#clock, timeoutMs });
  }

  /**
   * Undefined when the type is not explained or memory holds no earlier event to refer to. Rejects with
   * `backend_failed` (unreachable, timeout, nonsense twice) or `interrupted`.
   */
  async explain(
    event: ObservedEvent,
    snapshot: MemorySnapshot,
    signal?: AbortSignal,
  ): Promise<Explanation | undefined> {
    if (salienceOf(event) === 'never') return undefined;
    const index = new MemoryIndex(snapshot, event);
    const candidates = candidatesFor(index, event);
    if (candidates.events.length === 0) return undefined;
    const startMs = this.#clock.nowMs();
    try {
      const { answer, looks } = await withinTime(
        (limit) => this.#ask(event, index, candidates, limit),
        this.#options.config.timeoutMs,
        signal,
      );
      const { model } = this.#options.config;
      const by = { backend: this.name, model, ms: this.#clock.nowMs() - startMs };
      this.#counts.explained += 1;
      const explanation = explanationOf(answer, event, index, by);
      return looks.length === 0 ? explanation : { ...explanation, inspections: [...looks] };
    } catch (thrown) {
      this.#counts.failed += 1;
      throw toPresageError(thrown, 'backend_failed');
    }
  }

  stats(): OpenAiExplainerStats {
    return { ...this.#client.stats(), ...this.#tools.stats(), ...this.#counts };
  }

  async #ask(
    event: ObservedEvent,
    index: MemoryIndex,
    candidates: Candidates,
    signal: AbortSignal,
  ): Promise<Asked> {
    const { config, keyframes } = this.#options;
    const images = config.images && keyframes !== undefined ? await keyframes(event) : [];
    const prompt = promptFor(index, event, candidates, images.slice(-MAX_IMAGES));
    const used = await this.#useTools(prompt, index, signal);
    const { inspections: looks } = used;
    const early = used.said === undefined ? undefined : parseAnswer(used.said, candidates);
    if (early && 'answer' in early) return { answer: early.answer, looks };
    const messages = withToolResults(prompt, used);
    const schema = answerJsonSchema(candidates);
    const completion = await this.#client.complete({ messages, schema }, signal);
    const first = parseAnswer(completion, candidates);
    if ('answer' in first) return { answer: first.answer, looks };
    this.#counts.repairs += 1;
    const again = repairPrompt(messages, completion, first.wrong);
    const second = parseAnswer(await this.#client.complete({ messages: again, schema }, signal), candidates);
    if ('answer' in second) return { answer: second.answer, looks };
    throw new PresageError(
      'backend_failed',
      `The language model's answer is not of the schema: ${second.wrong}`,
    );
  }

  /** Before it answers, the model may look things up; it sees no later than memory did then. */
  async #useTools(prompt: readonly ChatMessage[], index: MemoryIndex, signal: AbortSignal): Promise<ToolUse> {
    const { config, video } = this.#options;
    if (!config.tools) return { reported: [], inspections: [], said: undefined };
    const { snapshot } = index;
    const queries = new RecordQueries(recordsOfSnapshot(snapshot));
    return this.#tools.run(prompt, new ToolBox({ queries, now: snapshot.t, video }), signal);
  }
}

interface Asked {
  readonly answer: Answer;
  readonly looks: ToolUse['inspections'];
}
