import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { PresageError } from '../../core/errors.js';

const tensorSchema = z.object({
  type: z.string(),
  shape: z.array(z.union([z.number().int(), z.string()])),
});

const modelSchema = z.object({
  name: z.string().min(1),
  role: z.string(),
  /** A plain file name inside the models folder. */
  file: z.string().regex(/^[\w.-]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive(),
  license: z.string(),
  source: z.string(),
  /** The command that made the file. */
  made: z.string(),
  /** Name of the pack that contains the file: it is not bundled, and `presage models pull NAME` fetches the whole pack. */
  pack: z.string().min(1).optional(),
  /** Location of the file on a model hub (the Hugging Face hub or a mirror of it). */
  hub: z
    .object({
      repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
      /** A commit, so that the file behind the address stays the same. */
      revision: z.string().regex(/^[0-9a-f]{40}$/),
      path: z.string().regex(/^[\w./-]+$/),
    })
    .optional(),
  inputs: z.record(z.string(), tensorSchema),
  outputs: z.record(z.string(), tensorSchema),
  /** Settings of the model's role, see `ROLE_SETTINGS`. */
  settings: z.record(z.string(), z.unknown()).default({}),
  notes: z.string().optional(),
});

const share = z.number().min(0).max(1);

const detectorSettings = z.object({
  longSidePx: z.number().int().positive().multipleOf(32),
  strides: z.array(z.number().int().positive()).min(1),
  scoreFloor: share,
  nmsIou: share,
  fuseIou: share,
});

/** Schemas of the settings of the models that Presage runs, by role. */
const ROLE_SETTINGS = {
  detector: detectorSettings,
  /** The same detector for devices that are faster in float. */
  'detector-float': detectorSettings,
  /** Masks, appearances and the grid of scene embeddings from the detector's feature maps. */
  objects: z.object({
    /** The mask's grid covers the box enlarged by this share of its sides, about its centre. */
    margin: z.number().min(0).max(1),
  }),
  /** Scene embedding from the grids of the last seconds. */
  clip: z.object({}),
  /** The language model: decoder, embedding table, tokenizer, and the fusion core of its visual prefix. */
  language: z.object({}),
  embeddings: z.object({}),
  tokenizer: z.object({}),
  fusion: z.object({}),
  /** Probabilities of the standard forecast and paths, from tracks. */
  forecaster: z.object({}),
  /** Probability that each object was necessary for an event. */
  causes: z.object({}),
  'sam-encoder': z.object({}),
  'sam-decoder': z.object({}),
} as const;

type ModelRole = keyof typeof ROLE_SETTINGS;
type RoleSettings<R extends ModelRole> = z.infer<(typeof ROLE_SETTINGS)[R]>;
/** An entry whose settings are validated for its role. */
export type RoleEntry<R extends ModelRole> = Omit<ModelEntry, 'settings'> & {
  readonly settings: RoleSettings<R>;
};

const manifestSchema = z.object({ version: z.literal(1), models: z.array(modelSchema) });

/** One model of `models/manifest.json`. */
export type ModelEntry = z.infer<typeof modelSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** Returns the path of the bundled models folder. */
export function bundledModelsDir(): string {
  return fileURLToPath(new URL('../../../models', import.meta.url));
}

/**
 * @throws {PresageError} model_missing — there is no manifest
 * @throws {PresageError} model_invalid — the manifest is invalid
 */
export async function loadManifest(modelsDir: string): Promise<Manifest> {
  const path = join(modelsDir, 'manifest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new PresageError('model_missing', `no model manifest at ${path}`, {
      cause,
      hint: 'name the folder of the model files with --models DIR, or omit it to use the bundled ones',
    });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new PresageError('model_invalid', `${path} is not JSON`, { cause, hint: 'restore the file' });
  }
  const parsed = manifestSchema.safeParse(document);
  if (!parsed.success)
    throw new PresageError('model_invalid', `${path}: ${z.prettifyError(parsed.error)}`, {
      hint: 'restore the file',
    });
  return parsed.data;
}

/**
 * @throws {PresageError} model_missing — the manifest has no model for the role
 * @throws {PresageError} model_invalid — the settings are invalid for the role
 */
export function findModel<R extends ModelRole>(manifest: Manifest, role: R): RoleEntry<R> {
  const entry = findOptionalModel(manifest, role);
  if (!entry)
    throw new PresageError('model_missing', `the manifest has no ${role}`, { hint: 'restore manifest.json' });
  return entry;
}

/**
 * Returns the model of a role; undefined where the manifest has none.
 * @throws {PresageError} model_invalid — the settings are invalid for the role
 */
export function findOptionalModel<R extends ModelRole>(
  manifest: Manifest,
  role: R,
): RoleEntry<R> | undefined {
  const entry = manifest.models.find((model) => model.role === role);
  if (!entry) return undefined;
  const parsed = ROLE_SETTINGS[role].safeParse(entry.settings);
  if (parsed.success) return { ...entry, settings: parsed.data as RoleSettings<R> };
  throw new PresageError(
    'model_invalid',
    `settings of model ${entry.name}: ${z.prettifyError(parsed.error)}`,
    {
      hint: 'restore manifest.json',
    },
  );
}

/** Returns name and version of a model as in messages: `objects@0123456789ab`. */
export function modelVersion({ name, sha256 }: Pick<ModelEntry, 'name' | 'sha256'>): string {
  return `${name}@${sha256.slice(0, 12)}`;
}

/**
 * Compares size and SHA-256 of a model file with the manifest and returns its path.
 * @throws {PresageError} model_missing, model_hash_mismatch
 */
export async function verifyModel(modelsDir: string, entry: ModelEntry): Promise<string> {
  const path = join(modelsDir, entry.file);
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile())
    throw new PresageError('model_missing', `model ${entry.name} is missing: ${path}`, {
      hint: pullHint(entry),
    });
  const sha256 = info.size === entry.bytes ? await hashFile(path) : undefined;
  if (sha256 === entry.sha256) return path;
  const found = sha256 ? `its SHA-256 is ${sha256}` : `it has ${info.size} bytes`;
  const expected = sha256 ? entry.sha256 : `${entry.bytes}`;
  throw new PresageError(
    'model_hash_mismatch',
    `${path} is not the model of the manifest: ${found}, expected ${expected}`,
    {
      hint: pullHint(entry),
    },
  );
}

/** Returns the SHA-256 of a file as hex; reads the file in chunks. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function pullHint({ pack }: ModelEntry): string {
  return `fetch the file with: presage models pull${pack === undefined ? '' : ` ${pack}`}`;
}
