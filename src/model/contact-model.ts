import { readFile } from 'node:fs/promises';
import { PresageError } from '../core/errors.js';
import { bundledModelsDir, loadManifest, verifyModel } from './manifest.js';

/** Role in the manifest of what tells contacts of things (`src/memory/events/contact-classifier.ts`). */
const ROLE = 'contacts';

/**
 * The contact classifier as a JSON document, its content verified; undefined where the manifest has none.
 * @throws PresageError `model_missing`, `model_hash_mismatch`, `model_invalid`
 */
export async function loadContactModel(modelsDir: string = bundledModelsDir()): Promise<unknown> {
  const { models } = await loadManifest(modelsDir);
  const entry = models.find(({ role }) => role === ROLE);
  if (!entry) return undefined;
  const path = await verifyModel(modelsDir, entry);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw new PresageError('model_invalid', `${path} is not JSON`, { cause, hint: 'restore the file' });
  }
}
