import { PresageError } from '../../core/errors.js';
import type { VisualTokens } from '../../core/learned-models.js';
import type { Decoder } from './decoder.js';
import { WIDTH, type EmbeddingTable } from './embedding-table.js';
import { PREFIX_ROWS, visualKey, type FusionCore } from './fusion-core.js';
import { emptyCache, headOf, type KeyValueCache } from './key-value-cache.js';
import { TokenTree } from './token-tree.js';

export interface ContextDeps {
  readonly embeddings: Pick<EmbeddingTable, 'lookUp'>;
  readonly decoder: Pick<Decoder, 'layers' | 'run'>;
  readonly fusion: Pick<FusionCore, 'prefix'>;
}

/** Work of the answers so far. */
export interface LanguageWork {
  /** Rows that the decoder computed. */
  readonly ran: number;
  /** Rows of requests whose keys and values were reused. */
  readonly reused: number;
}

/** Candidate continuations: a tree whose first tokens are the end of the context. */
export interface Candidates {
  readonly tree: TokenTree;
  /** Node after which candidates are added. */
  readonly root: number;
}

/** Maximum number of rows of the context, prefix included: far above a prompt within its budget. */
const MAX_ROWS = 1024;
/** Rows per run: a request can be cancelled between two runs. */
const CHUNK_ROWS = 128;

/** The decoder's input so far: a visual prefix and tokens, with their keys and values, kept between requests. */
export class Context {
  readonly #deps: ContextDeps;
  #visual: string | undefined;
  #cache: KeyValueCache;
  /** Tokens of the cache after the prefix that the next request may reuse. */
  #head: readonly number[] = [];
  /** Tokens after the cache that the decoder has not computed yet. */
  #pending: number[] = [];
  #work = { ran: 0, reused: 0 };

  constructor(deps: ContextDeps) {
    this.#deps = deps;
    this.#cache = emptyCache(deps.decoder.layers);
  }

  work(): LanguageWork {
    return { ...this.#work };
  }

  /**
   * Sets the context. Keys and values of an equal prefix, and then of an equal head, are reused completely or not at all, so
   * that answers do not depend on earlier requests.
   * @param check throws to cancel the request; called between runs
   * @throws {PresageError} inference_failed — the prompt is empty or too long, or a model failed
   */
  async begin(
    visual: VisualTokens | undefined,
    head: readonly number[],
    tail: readonly number[],
    check: () => void,
  ): Promise<void> {
    const key = visual && visualKey(visual);
    const length = head.length + tail.length;
    if (length === 0) throw new PresageError('inference_failed', 'the prompt is empty');
    if (length > MAX_ROWS - PREFIX_ROWS)
      throw new PresageError('inference_failed', `the prompt is too long: ${length} tokens`);
    if (key !== this.#visual) await this.#restart(key, visual);
    const prefix = visual ? PREFIX_ROWS : 0;
    const same = head.length === this.#head.length && head.every((token, i) => token === this.#head[i]);
    this.#cache = headOf(this.#cache, prefix + (same ? head.length : 0));
    this.#pending = [...tail];
    if (same) this.#work.reused += head.length;
    else await this.#readHead(head, check);
    check();
  }

  /** Appends tokens to the context. */
  push(tokens: readonly number[]): void {
    this.#pending.push(...tokens);
  }

  /**
   * Runs the pending tokens except the last chunk, which becomes the root of the candidates.
   * @throws {PresageError} inference_failed — the answer is too long, or a model failed
   */
  async candidates(check: () => void): Promise<Candidates> {
    if (this.#cache.length + this.#pending.length > MAX_ROWS)
      throw new PresageError('inference_failed', 'the answer is too long');
    while (this.#pending.length > CHUNK_ROWS) {
      const chunk = this.#pending.slice(0, CHUNK_ROWS);
      await this.#runChain(chunk);
      this.#pending = this.#pending.slice(CHUNK_ROWS);
      check();
    }
    const tree = new TokenTree();
    return { tree, root: tree.add(this.#pending) };
  }

  /**
   * Returns the logits after each of the nodes. The pending tokens become part of the context, the candidates do not.
   * @throws {PresageError} inference_failed
   */
  async logitsAfter({ tree, root }: Candidates, nodes: readonly number[]): Promise<readonly Float32Array[]> {
    const past = this.#cache;
    const pending = root + 1;
    const { logits, cache } = await this.#run(tree, nodes, pending > 0);
    this.#cache = headOf(cache, past.length + pending);
    this.#pending = [];
    return logits;
  }

  async #restart(key: string | undefined, visual: VisualTokens | undefined): Promise<void> {
    // A failure below leaves an empty context.
    this.#visual = undefined;
    this.#head = [];
    this.#cache = emptyCache(this.#deps.decoder.layers);
    if (!visual) return;
    const embedded = await this.#deps.fusion.prefix(visual);
    if (embedded.length !== PREFIX_ROWS * WIDTH || !embedded.every(Number.isFinite))
      throw new PresageError('inference_failed', 'the prefix of the fusion core is invalid');
    const chain = chainOf(PREFIX_ROWS);
    const [positions, bias] = [chain.positions(0), chain.bias(0)];
    const wanted = [PREFIX_ROWS - 1];
    const { decoder } = this.#deps;
    const { cache } = await decoder.run({ embedded, positions, bias, wanted, past: this.#cache }, true);
    this.#work.ran += PREFIX_ROWS;
    this.#cache = cache;
    this.#visual = key;
  }

  async #readHead(head: readonly number[], check: () => void): Promise<void> {
    // Set only after all of it has run, so that a cancelled request does not leave a partial head.
    this.#head = [];
    for (let at = 0; at < head.length; at += CHUNK_ROWS) {
      check();
      await this.#runChain(head.slice(at, at + CHUNK_ROWS));
    }
    this.#head = [...head];
  }

  async #runChain(tokens: readonly number[]): Promise<void> {
    const tree = new TokenTree();
    const last = tree.add(tokens);
    const { cache } = await this.#run(tree, [last], true);
    this.#cache = cache;
  }

  async #run(tree: TokenTree, wanted: readonly number[], keep: boolean): ReturnType<Decoder['run']> {
    const past = this.#cache;
    const embedded = new Float32Array(tree.size * WIDTH);
    this.#deps.embeddings.lookUp(tree.tokens, embedded, 0);
    const input = { embedded, positions: tree.positions(past.length), bias: tree.bias(past.length) };
    this.#work.ran += tree.size;
    return this.#deps.decoder.run({ ...input, wanted, past }, keep);
  }
}

/** Returns a chain of this many rows; its token values are not used. */
function chainOf(rows: number): TokenTree {
  const tree = new TokenTree();
  tree.add(Array.from({ length: rows }, (_, i) => i));
  return tree;
}
