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

/** How much work the answers took so far. */
export interface LanguageWork {
  /** Rows that went through the decoder. */
  readonly ran: number;
  /** Rows of requests whose keys and values were still there. */
  readonly reused: number;
}

/** Candidates of what comes next: a tree whose first tokens are the end of the context. */
export interface Candidates {
  readonly tree: TokenTree;
  /** Node after which candidates are added. */
  readonly root: number;
}

/** Rows of the context, prefix included: beyond what a prompt under its budget takes, by a wide margin. */
const MAX_ROWS = 1024;
/** Rows that run at once: a request can be given up between two runs. */
const CHUNK_ROWS = 128;

/** What the decoder has read: a visual prefix and tokens, with their keys and values, kept from request to request. */
export class Context {
  readonly #parts: ContextDeps;
  #visual: string | undefined;
  #cache: KeyValueCache;
  /** Tokens of the cache after the prefix that the next request may share. */
  #head: readonly number[] = [];
  /** Tokens after the cache that have not been run. */
  #pending: number[] = [];
  #work = { ran: 0, reused: 0 };

  constructor(parts: ContextDeps) {
    this.#parts = parts;
    this.#cache = emptyCache(parts.decoder.layers);
  }

  work(): LanguageWork {
    return { ...this.#work };
  }

  /**
   * Makes these the context. Keys and values of an equal prefix, and then of an equal head, are used again: whole or not at
   * all, so that what is said does not depend on what was asked before.
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

  /** Tokens that follow for certain. */
  push(tokens: readonly number[]): void {
    this.#pending.push(...tokens);
  }

  /** Runs the pending tokens but for the last of them, on which the candidates are to hang. */
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

  /** Logits after each of the nodes. The pending tokens become part of the context, the candidates do not. */
  async look({ tree, root }: Candidates, nodes: readonly number[]): Promise<readonly Float32Array[]> {
    const past = this.#cache;
    const kept = root + 1;
    const { logits, cache } = await this.#run(tree, nodes, kept > 0);
    this.#cache = headOf(cache, past.length + kept);
    this.#pending = [];
    return logits;
  }

  async #restart(key: string | undefined, visual: VisualTokens | undefined): Promise<void> {
    // Whatever fails in between leaves an empty context.
    this.#visual = undefined;
    this.#head = [];
    this.#cache = emptyCache(this.#parts.decoder.layers);
    if (!visual) return;
    const embedded = await this.#parts.fusion.prefix(visual);
    if (embedded.length !== PREFIX_ROWS * WIDTH || !embedded.every(Number.isFinite))
      throw new PresageError('inference_failed', 'the fusion core gives no prefix');
    const chain = chainOf(PREFIX_ROWS);
    const [positions, bias] = [chain.positions(0), chain.bias(0)];
    const wanted = [PREFIX_ROWS - 1];
    const { decoder } = this.#parts;
    const { cache } = await decoder.run({ embedded, positions, bias, wanted, past: this.#cache }, true);
    this.#work.ran += PREFIX_ROWS;
    this.#cache = cache;
    this.#visual = key;
  }

  async #readHead(head: readonly number[], check: () => void): Promise<void> {
    // Known as read only when all of it is.
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
    this.#parts.embeddings.lookUp(tree.tokens, embedded, 0);
    const input = { embedded, positions: tree.positions(past.length), bias: tree.bias(past.length) };
    this.#work.ran += tree.size;
    return this.#parts.decoder.run({ ...input, wanted, past }, keep);
  }
}

/** A chain of this many rows, whatever stands in them. */
function chainOf(rows: number): TokenTree {
  const tree = new TokenTree();
  tree.add(Array.from({ length: rows }, (_, i) => i));
  return tree;
}
