import { readFile } from 'node:fs/promises';
import { PresageError } from '../../core/errors.js';
import { bundledModelsDir, loadManifest, verifyModel } from './manifest.js';

/**
 * Roles in the manifest of small models that are JSON documents: `contacts` is the contact classifier
 * (`src/memory/events/contact/contact-classifier.ts`), `pool` the weights of the forecast mixture
 * (`src/reasoner/forecast/mixture/forecast-mixture.ts`).
 */
export type JsonRole = 'contacts' | 'pool';

/**
 * Loads the document of a role and verifies its hash; undefined where the manifest has none.
 * @throws {PresageError} model_missing, model_hash_mismatch, model_invalid
 */
export async function loadJsonModel(
  role: JsonRole,
  modelsDir: string = bundledModelsDir(),
): Promise<unknown> {
  const { models } = await loadManifest(modelsDir);
  const entry = models.find((model) => model.role === role);
  if (!entry) return undefined;
  const path = await verifyModel(modelsDir, entry);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw new PresageError('model_invalid', `${path} is not JSON`, { cause, hint: 'restore the file' });
  }
}
