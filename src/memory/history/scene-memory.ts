import { z } from 'zod';
import { TIME_EPSILON } from '../../core/ontology.js';
import type { SceneEmbedding } from '../../core/memory.js';
import { BYTES, embeddingBytes } from '../size-model.js';
import { savedEmbedding, saveEmbedding } from '../state/saved-state.js';

/** Every embedding of the last 12 s (about one a second), then one in 10 s for 2 min: 24 in all. */
const DENSE_S = 12;
const MAX_DENSE = 12;
const SPARSE_STEP_S = 10;
const MAX_SPARSE = 12;

const saved = z.array(z.object({ t: z.number(), embedding: savedEmbedding }));
export const savedScenes = z.object({ dense: saved.max(MAX_DENSE), sparse: saved.max(MAX_SPARSE) });

/** The scene embeddings of the stream's last minutes. */
export class SceneMemory {
  #dense: SceneEmbedding[] = [];
  #sparse: SceneEmbedding[] = [];
  #view: readonly SceneEmbedding[] = [];

  get bytes(): number {
    return this.#view.reduce((sum, { embedding }) => sum + BYTES.span + embeddingBytes(embedding), 0);
  }

  add(scene: SceneEmbedding): void {
    this.#dense.push(scene);
    while (this.#dense.length > MAX_DENSE || scene.t - (this.#dense[0]?.t ?? scene.t) > DENSE_S)
      this.#thin(this.#dense.shift());
    this.#show();
  }

  /** Oldest first. The array does not change afterwards. */
  view(): readonly SceneEmbedding[] {
    return this.#view;
  }

  saveState(): z.input<typeof savedScenes> {
    const save = (embeddings: readonly SceneEmbedding[]): z.input<typeof saved> =>
      embeddings.map(({ t, embedding }) => ({ t, embedding: saveEmbedding(embedding) }));
    return { dense: save(this.#dense), sparse: save(this.#sparse) };
  }

  restoreState({ dense, sparse }: z.output<typeof savedScenes>): void {
    this.#dense = dense;
    this.#sparse = sparse;
    this.#show();
  }

  #show(): void {
    this.#view = [...this.#sparse, ...this.#dense];
  }

  #thin(scene: SceneEmbedding | undefined): void {
    const last = this.#sparse[this.#sparse.length - 1];
    if (!scene || (last && scene.t - last.t < SPARSE_STEP_S - TIME_EPSILON)) return;
    this.#sparse.push(scene);
    if (this.#sparse.length > MAX_SPARSE) this.#sparse.shift();
  }
}
