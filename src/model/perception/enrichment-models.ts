import { PresageError } from '../../core/errors.js';
import type { SceneEncoderOptions } from './scene-encoder.js';
import { findOptionalModel, modelVersion, verifyModel, type Manifest } from '../runtime/manifest.js';
import type { ObjectHeadOptions } from '../segment/object-head.js';

type WithoutDevice<T> = Omit<T, 'device' | 'threads'>;

/** The verified models of a models folder in addition to the detector. */
export interface EnrichmentModels {
  readonly objects?: WithoutDevice<ObjectHeadOptions>;
  readonly scene?: WithoutDevice<SceneEncoderOptions> & { readonly name: string };
}

/**
 * Finds the models for enrichment. A models folder may lack them; a file that exists must match the manifest.
 * @throws {PresageError} model_missing — the manifest names a file that does not exist
 * @throws {PresageError} model_hash_mismatch, model_invalid
 */
export async function findEnrichmentModels(modelsDir: string, manifest: Manifest): Promise<EnrichmentModels> {
  const objects = findOptionalModel(manifest, 'objects');
  const scene = findOptionalModel(manifest, 'clip');
  return {
    ...(objects && {
      objects: {
        path: await verifyModel(modelsDir, objects),
        name: modelVersion(objects),
        margin: objects.settings.margin,
      },
    }),
    // The object head computes the input of the scene encoder.
    ...(objects &&
      scene && { scene: { path: await verifyModel(modelsDir, scene), name: modelVersion(scene) } }),
  };
}

/** @throws {PresageError} model_missing — masks are required and no model can make them */
export function checkMasks(masks: 'auto' | 'on' | 'off', available: boolean): void {
  if (masks !== 'on' || available) return;
  throw new PresageError('model_missing', 'masks are required, and the models folder has no model for them', {
    hint: 'use the bundled models (omit --models), or --segmenter sam, or --masks auto',
  });
}
