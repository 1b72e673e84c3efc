import { bundledModelsDir, findModel, loadManifest, modelVersion, verifyModel } from '../runtime/manifest.js';
import { LanguageThread } from './language-thread.js';

export interface LanguageModelOptions {
  /** Default: the bundled models. */
  readonly modelsDir?: string | undefined;
  /** Threads inside one operator. Default 1: the other core is for perception. */
  readonly threads?: number | undefined;
  /** Nice value of the worker thread on Linux, 0–19. Default 5. */
  readonly niceness?: number | undefined;
  /** Maximum number of waiting requests. Default 8. */
  readonly maxWaiting?: number | undefined;
}

/**
 * Verifies and opens the language model of the models folder.
 * @throws {PresageError} model_missing, model_hash_mismatch, model_invalid, worker_crashed
 */
export async function openLanguageModel(options: LanguageModelOptions = {}): Promise<LanguageThread> {
  const { modelsDir = bundledModelsDir(), threads = 1, niceness = 5, maxWaiting } = options;
  const manifest = await loadManifest(modelsDir);
  const language = findModel(manifest, 'language');
  const path = (role: 'language' | 'embeddings' | 'tokenizer' | 'fusion'): Promise<string> =>
    verifyModel(modelsDir, findModel(manifest, role));
  return LanguageThread.open({
    name: modelVersion(language),
    language: await path('language'),
    embeddings: await path('embeddings'),
    tokenizer: await path('tokenizer'),
    fusion: await path('fusion'),
    threads,
    niceness,
    maxWaiting,
  });
}
