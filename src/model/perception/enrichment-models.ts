import { PresageError } from '../../core/errors.js';
import type { SceneEncoderOptions } from './scene-encoder.js';
import { findOptionalModel, modelVersion, verifyModel, type Manifest } from '../runtime/manifest.js';
import type { ObjectHeadOptions } from '../segment/object-head.js';

type WithoutDevice<T> = Omit<T, 'device' | 'threads'>;

/** The models beyond the detector that a models folder holds, verified. */
export interface EnrichmentModels {
  readonly objects?: WithoutDevice<ObjectHeadOptions>;
  readonly scene?: WithoutDevice<SceneEncoderOptions> & { readonly name: string };
}

/**
 * A models folder may lack them; a file that is there must be the pinned one.
 * @throws PresageError `model_missing` (the manifest names a file that is not there), `model_hash_mismatch`, `model_invalid`
 */
export async function findEnrichmentModels(modelsDir: string, manifest: Manifest): Promise<EnrichmentModels> {
  const objects = findOptionalModel(manifest, 'objects');
  const clip = findOptionalModel(manifest, 'clip');
  return {
    ...(objects && {
      objects: {
        path: await verifyModel(modelsDir, objects),
        name: modelVersion(objects),
        margin: objects.settings.margin,
      },
    }),
    // Its input comes out of the head.
    ...(objects && clip && { scene: { path: await verifyModel(modelsDir, clip), name: modelVersion(clip) } }),
  };
}

/** @throws PresageError `model_missing` when masks are demanded and nothing can make them */
export function checkMasks(masks: 'auto' | 'on' | 'off', possible: boolean): void {
  if (masks !== 'on' || possible) return;
  throw new PresageError(
    'model_missing',
    'masks were asked for, and the models folder has no model for them',
    {
      hint: 'use the models that come with Presage (leave --models out), or --segmenter sam, or --masks auto',
    },
  );
}
