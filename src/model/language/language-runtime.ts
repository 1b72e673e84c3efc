import { PresageError } from '../../core/errors.js';
import type { AnswerGrammar, LanguageRequest } from '../../core/learned-models.js';
import { AnswerPath, DivergingNodes } from './answer-path.js';
import { Context, type ContextDeps, type LanguageWork } from './context.js';
import type { TextTokenizer } from './tokenizer.js';

export interface LanguageRuntimeDeps extends ContextDeps {
  readonly tokenizer: Pick<TextTokenizer, 'digits' | 'encode'>;
}

/** Maximum number of continuations of one request. */
const MAX_CONTINUATIONS = 256;
/** Maximum number of candidate tokens per run: their bias has tokens × (context + tokens) entries. */
const MAX_TREE = 128;

/**
 * Handles requests on the calling thread, one at a time. `check` is called between the runs of the models and throws when
 * the request was cancelled.
 */
export class LanguageRuntime {
  readonly #tokenizer: LanguageRuntimeDeps['tokenizer'];
  readonly #context: Context;

  constructor({ tokenizer, ...deps }: LanguageRuntimeDeps) {
    this.#tokenizer = tokenizer;
    this.#context = new Context(deps);
  }

  work(): LanguageWork {
    return this.#context.work();
  }

  /**
   * See LanguageModel: [continuations, 10].
   * @throws {PresageError} inference_failed, or the error of `check`
   */
  async scoreDigits(
    request: LanguageRequest,
    continuations: readonly string[],
    check: () => void,
  ): Promise<Float32Array> {
    if (continuations.length > MAX_CONTINUATIONS)
      throw new PresageError('inference_failed', `${continuations.length} continuations are too many`);
    const scores = new Float32Array(continuations.length * 10);
    const sequences = continuations.map((text) => this.#sequence(text));
    await this.#begin(request, check);
    for (let first = 0; first < sequences.length;) {
      const candidates = await this.#context.candidates(check);
      const { tree, root } = candidates;
      const ends: number[] = [];
      for (const sequence of sequences.slice(first)) {
        if (ends.length > 0 && tree.size - root + tree.missing(sequence, root) > MAX_TREE) break;
        ends.push(tree.add(sequence, root));
      }
      const logits = await this.#context.logitsAfter(candidates, ends);
      logits.forEach((row, i) => scores.set(digitShares(row, this.#tokenizer.digits), (first + i) * 10));
      first += ends.length;
      check();
    }
    return scores;
  }

  /**
   * See LanguageModel.
   * @throws {PresageError} inference_failed, or the error of `check`
   */
  async complete(
    request: LanguageRequest,
    grammar: AnswerGrammar,
    check: () => void,
  ): Promise<{ readonly text: string; readonly logProbability: number }> {
    await this.#begin(request, check);
    const path = new AnswerPath(grammar, (text) => this.#sequence(text));
    for (let branch = path.next(); branch !== undefined; branch = path.next()) {
      this.#context.push(branch.forced);
      const candidates = await this.#context.candidates(check);
      const diverging = new DivergingNodes(branch.pieces, candidates.tree, candidates.root);
      const logits = await this.#context.logitsAfter(candidates, diverging.nodes);
      this.#context.push(path.choose(branch, diverging.logProbabilities(logits)));
      check();
    }
    return path.answer();
  }

  /** Splits the prompt before its last line: the next request may reuse the head. */
  async #begin({ visual, prompt }: LanguageRequest, check: () => void): Promise<void> {
    const line = prompt.lastIndexOf('\n', prompt.length - 2) + 1;
    const [head, tail] = [prompt.slice(0, line), prompt.slice(line)];
    await this.#context.begin(visual, this.#tokenizer.encode(head), this.#tokenizer.encode(tail), check);
  }

  #sequence(text: string): readonly number[] {
    const tokens = this.#tokenizer.encode(text);
    if (tokens.length > 0) return tokens;
    throw new PresageError('inference_failed', 'a continuation is empty');
  }
}

/** Returns the distribution over the ten digit tokens alone. */
function digitShares(logits: Float32Array, digits: readonly number[]): readonly number[] {
  const values = digits.map((token) => logits[token] ?? NaN);
  const max = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - max));
  const sum = powers.reduce((total, power) => total + power, 0);
  if (!Number.isFinite(sum))
    throw new PresageError('inference_failed', 'the logits of the language model are not finite');
  return powers.map((power) => power / sum);
}
