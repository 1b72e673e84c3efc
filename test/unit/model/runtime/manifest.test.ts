import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bundledModelsDir,
  findModel,
  hashFile,
  loadManifest,
  verifyModel,
} from '../../../../src/model/runtime/manifest.js';
import { matching } from '../../../support/model/matching.js';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'presage-manifest-'))));
afterEach(() => rm(dir, { recursive: true }));

async function bundledDetector() {
  return findModel(await loadManifest(bundledModelsDir()), 'detector');
}

describe('the bundled manifest', () => {
  it('describes files that exist and have the pinned hash', async () => {
    const { models } = await loadManifest(bundledModelsDir());
    expect(models.length).toBeGreaterThan(0);
    const own = models.filter(({ pack }) => pack === undefined);
    for (const entry of own) expect(await verifyModel(bundledModelsDir(), entry)).toMatch(entry.file);
  });
});

describe('loadManifest', () => {
  it('fails with model_missing when the folder has none', async () => {
    await expect(loadManifest(dir)).rejects.toMatchObject({
      code: 'model_missing',
      hint: matching(/--models/),
    });
  });

  it.each([
    ['is not JSON', '{', /not JSON/],
    ['has another structure', '{"version": 1, "models": [{"name": "x"}]}', /models\[0\]/],
  ])('fails with model_invalid when it %s', async (_, text, message) => {
    await writeFile(join(dir, 'manifest.json'), text);
    await expect(loadManifest(dir)).rejects.toThrow(message);
    await expect(loadManifest(dir)).rejects.toMatchObject({ code: 'model_invalid' });
  });

  it('rejects a file name that leaves the folder', async () => {
    const manifest = await readFile(join(bundledModelsDir(), 'manifest.json'), 'utf8');
    await writeFile(join(dir, 'manifest.json'), manifest.replace('"nanodet.onnx"', '"../nanodet.onnx"'));
    await expect(loadManifest(dir)).rejects.toMatchObject({ code: 'model_invalid' });
  });

  it('fails with model_missing for a role without a model', async () => {
    const { models } = await loadManifest(bundledModelsDir());
    const manifest = { version: 1, models: models.filter(({ role }) => role !== 'detector') } as const;
    expect(() => findModel(manifest, 'detector')).toThrow(expect.objectContaining({ code: 'model_missing' }));
  });
});

describe('verifyModel', () => {
  it('fails with model_missing and a hint', async () => {
    const verified = verifyModel(dir, await bundledDetector());
    await expect(verified).rejects.toMatchObject({
      code: 'model_missing',
      hint: matching(/models pull/),
    });
  });

  it('fails with model_hash_mismatch when one byte differs', async () => {
    const entry = await bundledDetector();
    const bytes = await readFile(join(bundledModelsDir(), entry.file));
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(join(dir, entry.file), bytes);
    const verified = verifyModel(dir, entry);
    await expect(verified).rejects.toMatchObject({
      code: 'model_hash_mismatch',
      hint: matching(/models pull/),
    });
    await expect(verified).rejects.toThrow(entry.sha256);
  });

  it('fails with model_hash_mismatch when the file is truncated', async () => {
    const entry = await bundledDetector();
    await copyFile(join(bundledModelsDir(), entry.file), join(dir, entry.file));
    await truncate(join(dir, entry.file), 1234);
    await expect(verifyModel(dir, entry)).rejects.toMatchObject({
      code: 'model_hash_mismatch',
      message: matching(/1234 bytes, expected/),
    });
  });
});

it('hashes a file of several chunks as a whole', async () => {
  const content = Buffer.alloc(300_000, 'presage');
  await writeFile(join(dir, 'file'), content);
  expect(await hashFile(join(dir, 'file'))).toBe(createHash('sha256').update(content).digest('hex'));
});
