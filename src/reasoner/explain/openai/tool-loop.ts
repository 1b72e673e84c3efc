import type { Clock } from '../../../core/clock.js';
import type { ReportedInspection } from '../../../core/messages.js';
import type { ToolBox, ToolResult } from '../../../ask/tools/tool-box.js';
import { toolFunctions } from '../../../ask/tools/tool-schemas.js';
import type { ChatClient, ChatMessage, ToolCall } from './chat-client.js';

export interface ToolLoopOptions {
  readonly client: ChatClient;
  readonly clock: Clock;
  /** Of the whole answer, ms: tools get half of it. */
  readonly timeoutMs: number;
}

/** What came of letting the model use tools. */
export interface ToolUse {
  /** What they told, for the prompt of the answer itself; empty when none was called. */
  readonly reported: readonly string[];
  /** What was looked at again. */
  readonly inspections: readonly ReportedInspection[];
  /** What it said when it called no more, which may be the answer already. */
  readonly said: string | undefined;
}

export interface ToolLoopStats {
  readonly toolCalls: number;
  /** Calls that gave an error, which the model was told. */
  readonly toolErrors: number;
  /** The server refuses tools, or never used them: they are not offered any more. */
  readonly toolsDisabled: boolean;
}

/** Turns in which tools may be called, and calls of one turn that are answered. */
const MAX_ROUNDS = 4;
const MAX_CALLS = 3;
/** Characters of one result that go to the model. */
const MAX_LISTED = 1500;
/** Pictures kept as evidence of one answer. */
const MAX_APPEARANCES = 12;
/** After this many answers without a single call, a server is taken to know no tools. */
const ANSWERS_WITHOUT_CALLS = 3;

/**
 * Lets a model look things up before it answers: a bounded number of turns in which it may call the tools of a `ToolBox`.
 * A server that refuses tools is not offered them again.
 */
export class ToolLoop {
  readonly #options: ToolLoopOptions;
  #calls = 0;
  #errors = 0;
  #withoutCalls = 0;
  #givenUp = false;

  constructor(options: ToolLoopOptions) {
    this.#options = options;
  }

  /** Rejects with `backend_failed` or `interrupted`. */
  async run(messages: readonly ChatMessage[], box: ToolBox, signal: AbortSignal): Promise<ToolUse> {
    const told: string[] = [];
    const looks: ReportedInspection[] = [];
    if (this.#givenUp) return { reported: told, inspections: looks, said: undefined };
    const { client, clock, timeoutMs } = this.#options;
    const endMs = clock.nowMs() + timeoutMs / 2;
    const tools = toolFunctions(box.names);
    let turns: readonly ChatMessage[] = messages;
    let said: string | undefined;
    for (let round = 0; round < MAX_ROUNDS && clock.nowMs() < endMs; round += 1) {
      const turn = await client.completeWithTools({ messages: turns, tools }, signal);
      if (turn === undefined) {
        this.#givenUp = true;
        break;
      }
      if (turn.calls.length === 0) {
        said = turn.content;
        break;
      }
      const calls = turn.calls.slice(0, MAX_CALLS);
      const answered: ChatMessage[] = [{ role: 'assistant', content: turn.content, calls }];
      for (const call of calls) {
        const result = await this.#call(call, box, signal);
        const content = JSON.stringify(result.ok ? result.value : { error: result.error }).slice(
          0,
          MAX_LISTED,
        );
        answered.push({ role: 'tool', content, callId: call.id });
        told.push(`${call.name} ${call.arguments.slice(0, 200)}: ${content}`);
        if (result.ok) looks.push(...result.inspections);
      }
      turns = [...turns, ...answered];
    }
    this.#judge(told.length > 0);
    return { reported: told, inspections: looks.slice(0, MAX_APPEARANCES), said };
  }

  stats(): ToolLoopStats {
    return { toolCalls: this.#calls, toolErrors: this.#errors, toolsDisabled: this.#givenUp };
  }

  async #call(
    { name, arguments: written }: ToolCall,
    box: ToolBox,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    this.#calls += 1;
    const result = await box.call(name, argumentsOf(written), signal);
    if (!result.ok) this.#errors += 1;
    return result;
  }

  /** A server that ignores tools costs a turn with each answer: it is not asked for ever. */
  #judge(called: boolean): void {
    if (this.#calls > 0 || called) return;
    this.#withoutCalls += 1;
    if (this.#withoutCalls >= ANSWERS_WITHOUT_CALLS) this.#givenUp = true;
  }
}

/** Undefined for what is no JSON, which no tool takes. */
function argumentsOf(written: string): unknown {
  try {
    return written.trim() === '' ? {} : JSON.parse(written);
  } catch {
    return undefined;
  }
}

/** The prompt of the answer with what the tools told, in words that every server understands. */
export function withToolResults(
  messages: readonly ChatMessage[],
  { reported: told }: ToolUse,
): readonly ChatMessage[] {
  if (told.length === 0) return messages;
  const text = `\nLooked up:\n${told.join('\n')}`;
  const last = messages.at(-1);
  if (last === undefined || 'calls' in last || 'callId' in last) return messages;
  const content =
    typeof last.content === 'string'
      ? last.content + text
      : [...last.content, { type: 'text' as const, text }];
  return [...messages.slice(0, -1), { role: last.role, content }];
}
