import { PresageError } from '../../core/errors.js';
import type { AnswerGrammar } from '../../core/learned-models.js';
import type { TokenTree } from './token-tree.js';

/** What may follow at one point of an answer. */
export interface Branch {
  /** Tokens that are certain before it. */
  readonly forced: readonly number[];
  /** The tokens of each piece. */
  readonly pieces: readonly (readonly number[])[];
}

/** Pieces of one answer: more are a circle in the grammar. */
const MAX_PIECES = 200;

/** The way of one answer through a grammar: what is certain goes without a question, only branches are asked about. */
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

  /** Goes on to the next branch; undefined at the end. @throws PresageError `inference_failed` when the grammar is none */
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

  /** Takes the likeliest piece of the branch. Returns its tokens. @param logProbabilities of its pieces */
  choose(branch: Branch, logProbabilities: readonly number[]): readonly number[] {
    const most = Math.max(...logProbabilities);
    const at = logProbabilities.indexOf(most);
    if (!Number.isFinite(most) || at < 0)
      throw new PresageError('inference_failed', 'the language model says no numbers');
    this.#logProbability += most;
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

/** The nodes of a tree at which the pieces of a branch part, and what may follow there. */
export class Partings {
  /** By node: tokens that may follow. */
  readonly #follows = new Map<number, Set<number>>();
  readonly #paths: readonly (readonly { readonly node: number; readonly token: number }[])[];

  /** Adds to the tree, after `root`, what must be run to tell the pieces apart. */
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

  /** Nodes after which logits are wanted. */
  get nodes(): readonly number[] {
    return [...this.#follows.keys()];
  }

  /** Log-probability of each piece among all of them. @param logits after each of `nodes` */
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

/** Logarithm of the softmax over some tokens alone. */
function logShares(logits: Float32Array, tokens: readonly number[]): ReadonlyMap<number, number> {
  const values = tokens.map((token) => logits[token] ?? NaN);
  const most = Math.max(...values);
  const norm = most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return new Map(tokens.map((token, i) => [token, (values[i] ?? NaN) - norm]));
}
