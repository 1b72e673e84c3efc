import { PresageError } from '../../core/errors.js';
import type { AnswerGrammar } from '../../core/learned-models.js';
import type { TokenTree } from './token-tree.js';

/** The alternatives at one point of an answer. */
export interface Branch {
  /** Tokens before it that the grammar determines. */
  readonly forced: readonly number[];
  /** The tokens of each piece. */
  readonly pieces: readonly (readonly number[])[];
}

/** Maximum number of pieces of one answer: more indicate a cycle in the grammar. */
const MAX_PIECES = 200;

/** The path of one answer through a grammar: determined pieces are appended without the model, which scores branches only. */
export class AnswerPath {
  readonly #grammar: AnswerGrammar;
  readonly #encode: (text: string) => readonly number[];
  #state: number;
  #text = '';
  #pieces = 0;
  #logProbability = 0;

  constructor(grammar: AnswerGrammar, encode: (text: string) => readonly number[]) {
    this.#grammar = grammar;
    this.#encode = encode;
    this.#state = grammar.start;
  }

  /**
   * Advances to the next branch; undefined at the end.
   * @throws {PresageError} inference_failed — the grammar is invalid
   */
  next(): Branch | undefined {
    const forced: number[] = [];
    for (;;) {
      const edges = this.#edges();
      const [only] = edges;
      if (only === undefined) return undefined;
      if (edges.length > 1) return { forced, pieces: edges.map(({ text }) => this.#encode(text)) };
      forced.push(...this.#encode(only.text));
      this.#take(0);
    }
  }

  /**
   * Appends the most probable piece of the branch and returns its tokens.
   * @param logProbabilities of the pieces
   * @throws {PresageError} inference_failed — no probability is finite
   */
  choose(branch: Branch, logProbabilities: readonly number[]): readonly number[] {
    const max = Math.max(...logProbabilities);
    const at = logProbabilities.indexOf(max);
    if (!Number.isFinite(max) || at < 0)
      throw new PresageError('inference_failed', 'the logits of the language model are not finite');
    this.#logProbability += max;
    this.#take(at);
    return branch.pieces[at] ?? [];
  }

  answer(): { readonly text: string; readonly logProbability: number } {
    return { text: this.#text, logProbability: this.#logProbability };
  }

  #edges(): AnswerGrammar['states'][number] {
    const edges = this.#grammar.states[this.#state];
    if (edges !== undefined) return edges;
    throw new PresageError('inference_failed', `the grammar has no state ${this.#state}`);
  }

  #take(at: number): void {
    const edge = this.#edges()[at];
    this.#pieces += 1;
    if (edge === undefined || this.#pieces > MAX_PIECES)
      throw new PresageError('inference_failed', 'the grammar never ends');
    this.#text += edge.text;
    this.#state = edge.to;
  }
}

/** The nodes of a token tree at which the pieces of a branch diverge, and the allowed next tokens. */
export class DivergingNodes {
  /** Allowed next tokens by node. */
  readonly #follows = new Map<number, Set<number>>();
  readonly #paths: readonly (readonly { readonly node: number; readonly token: number }[])[];

  /** Adds to the tree, after `root`, the tokens that must be run to distinguish the pieces. */
  constructor(pieces: Branch['pieces'], tree: TokenTree, root: number) {
    const follows = new Map<string, Set<number>>();
    for (const piece of pieces) {
      piece.forEach((token, i) => {
        const head = piece.slice(0, i).join();
        follows.set(head, (follows.get(head) ?? new Set<number>()).add(token));
      });
    }
    this.#paths = pieces.map((piece) =>
      piece.flatMap((token, i) => {
        const allowed = follows.get(piece.slice(0, i).join());
        if (allowed === undefined || allowed.size < 2) return [];
        const node = tree.add(piece.slice(0, i), root);
        this.#follows.set(node, allowed);
        return [{ node, token }];
      }),
    );
  }

  /** Nodes after which logits are required. */
  get nodes(): readonly number[] {
    return [...this.#follows.keys()];
  }

  /**
   * Returns the log-probability of each piece among all pieces.
   * @param logits after each of `nodes`
   */
  logProbabilities(logits: readonly Float32Array[]): readonly number[] {
    const tables = new Map<number, ReadonlyMap<number, number>>();
    this.nodes.forEach((node, i) => {
      const tokens = [...(this.#follows.get(node) ?? [])];
      tables.set(node, logShares(logits[i] ?? new Float32Array(0), tokens));
    });
    return this.#paths.map((path) =>
      path.reduce((sum, { node, token }) => sum + (tables.get(node)?.get(token) ?? -Infinity), 0),
    );
  }
}

/** Returns the logarithm of the softmax over these tokens alone. */
function logShares(logits: Float32Array, tokens: readonly number[]): ReadonlyMap<number, number> {
  const values = tokens.map((token) => logits[token] ?? NaN);
  const max = Math.max(...values);
  const norm = max + Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0));
  return new Map(tokens.map((token, i) => [token, (values[i] ?? NaN) - norm]));
}
