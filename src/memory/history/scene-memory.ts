import { z } from 'zod';
import { TIME_EPSILON } from '../../core/ontology.js';
import type { ClipToken } from '../../core/memory.js';
import { BYTES, tokenBytes } from '../size-model.js';
import { savedToken, saveToken } from '../state/saved-state.js';

/** Every token of the last 12 s (about one a second), then one in 10 s for 2 min: 24 in all. */
const DENSE_S = 12;
const MOST_DENSE = 12;
const SPARSE_STEP_S = 10;
const MOST_SPARSE = 12;

const saved = z.array(z.object({ t: z.number(), token: savedToken }));
export const savedClips = z.object({ dense: saved.max(MOST_DENSE), sparse: saved.max(MOST_SPARSE) });

/** The clip tokens of the stream's last minutes. */
export class ClipMemory {
  #dense: ClipToken[] = [];
  #sparse: ClipToken[] = [];
  #view: readonly ClipToken[] = [];

  get bytes(): number {
    return this.#view.reduce((sum, { token }) => sum + BYTES.span + tokenBytes(token), 0);
  }

  add(clip: ClipToken): void {
    this.#dense.push(clip);
    while (this.#dense.length > MOST_DENSE || clip.t - (this.#dense[0]?.t ?? clip.t) > DENSE_S)
      this.#thin(this.#dense.shift());
    this.#show();
  }

  /** Oldest first. The array does not change afterwards. */
  view(): readonly ClipToken[] {
    return this.#view;
  }

  saveState(): z.input<typeof savedClips> {
    const save = (clips: readonly ClipToken[]): z.input<typeof saved> =>
      clips.map(({ t, token }) => ({ t, token: saveToken(token) }));
    return { dense: save(this.#dense), sparse: save(this.#sparse) };
  }

  restoreState({ dense, sparse }: z.output<typeof savedClips>): void {
    this.#dense = dense;
    this.#sparse = sparse;
    this.#show();
  }

  #show(): void {
    this.#view = [...this.#sparse, ...this.#dense];
  }

  #thin(clip: ClipToken | undefined): void {
    const last = this.#sparse[this.#sparse.length - 1];
    if (!clip || (last && clip.t - last.t < SPARSE_STEP_S - TIME_EPSILON)) return;
    this.#sparse.push(clip);
    if (this.#sparse.length > MOST_SPARSE) this.#sparse.shift();
  }
}
