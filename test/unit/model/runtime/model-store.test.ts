import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundledModelsDir } from '../../../../src/model/runtime/manifest.js';
import {
  listModels,
  pullModels,
  verifyModels,
  type PullProgress,
} from '../../../../src/model/runtime/model-store.js';
import { matching } from '../../../support/model/matching.js';

const CONTENT = Buffer.alloc(200_000, 'weights ');

let modelsDir: string;
let server: Server;
let mirror: string;
let answers: RequestListener[];
let requested: string[];

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'presage-models-'));
  const manifest = JSON.parse(await readFile(join(bundledModelsDir(), 'manifest.json'), 'utf8')) as {
    models: object[];
  };
  const sha256 = createHash('sha256').update(CONTENT).digest('hex');
  const pinned = { sha256, bytes: CONTENT.length };
  const bundled = manifest.models as { pack?: string }[];
  manifest.models = [
    { ...manifest.models[0], file: 'tiny.onnx', ...pinned },
    ...bundled.filter(({ pack }) => pack === 'mobile-sam').map((entry) => ({ ...entry, ...pinned })),
  ];
  await writeFile(join(modelsDir, 'manifest.json'), JSON.stringify(manifest));
  answers = [];
  requested = [];
  server = createServer((request, response) => {
    requested.push(request.url ?? '');
    const answer = answers.shift() ?? ((_, res) => void res.end(CONTENT));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(modelsDir, { recursive: true });
});

function pull(options: Partial<Parameters<typeof pullModels>[0]> = {}) {
  return pullModels({ modelsDir, mirror, sleep: () => Promise.resolve(), ...options });
}

const filesIn = async () => (await readdir(modelsDir)).sort();

describe('listing and verifying', () => {
  it('distinguishes a missing, a wrong and a right file', async () => {
    const path = join(modelsDir, 'tiny.onnx');
    const states = async () => [
      (await listModels(modelsDir))[0]?.state,
      (await verifyModels(modelsDir))[0]?.state,
    ];
    expect(await states()).toEqual(['missing', 'missing']);
    await writeFile(path, 'short');
    expect(await states()).toEqual(['mismatch', 'mismatch']);
    await writeFile(path, Buffer.alloc(CONTENT.length));
    expect(await states()).toEqual(['present', 'mismatch']);
    await writeFile(path, CONTENT);
    expect(await states()).toEqual(['present', 'verified']);
  });
});

describe('pulling', () => {
  it('fetches the file from the mirror, reports progress, and leaves no other file', async () => {
    const progress: PullProgress[] = [];
    expect(await pull({ onProgress: (step) => progress.push(step) })).toEqual(['nanodet-int8']);
    expect(requested).toEqual(['/models/tiny.onnx']);
    expect(await readFile(join(modelsDir, 'tiny.onnx'))).toEqual(CONTENT);
    expect(await filesIn()).toEqual(['manifest.json', 'tiny.onnx']);
    expect(progress.at(-1)).toEqual({
      name: 'nanodet-int8',
      receivedBytes: CONTENT.length,
      totalBytes: CONTENT.length,
    });
  });

  it('sends no request for a right file', async () => {
    await writeFile(join(modelsDir, 'tiny.onnx'), CONTENT);
    expect(await pull()).toEqual([]);
    expect(requested).toEqual([]);
  });

  it('rejects other content of the same length and keeps the old file', async () => {
    await writeFile(join(modelsDir, 'tiny.onnx'), 'old');
    answers = [(_, response) => void response.end(Buffer.alloc(CONTENT.length))];
    await expect(pull()).rejects.toMatchObject({
      code: 'model_hash_mismatch',
      hint: matching(/--mirror/),
    });
    expect(await readFile(join(modelsDir, 'tiny.onnx'), 'utf8')).toBe('old');
    expect(await filesIn()).toEqual(['manifest.json', 'tiny.onnx']);
  });

  it('stops reading when a server sends more than the file', async () => {
    answers = [(_, response) => void response.end(Buffer.alloc(CONTENT.length * 2))];
    await expect(pull()).rejects.toMatchObject({
      code: 'model_hash_mismatch',
      message: matching(/more than/),
    });
  });

  it('retries after a server error and a broken connection', async () => {
    answers = [
      (_, response) => void response.writeHead(503).end(),
      (_, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        response.write(CONTENT.subarray(0, 1000), () => response.destroy());
      },
    ];
    expect(await pull()).toEqual(['nanodet-int8']);
    expect(requested).toHaveLength(3);
  });

  it('fails after three attempts', async () => {
    answers = Array.from(
      { length: 3 },
      (): RequestListener => (_, response) => void response.writeHead(500).end(),
    );
    await expect(pull()).rejects.toMatchObject({
      code: 'download_failed',
      message: matching(/responded with 500/),
    });
    expect(requested).toHaveLength(3);
    expect(await filesIn()).toEqual(['manifest.json']);
  });

  it('does not retry a request that cannot succeed', async () => {
    answers = [(_, response) => void response.writeHead(404).end()];
    await expect(pull()).rejects.toMatchObject({ code: 'download_failed', retryable: false });
    expect(requested).toHaveLength(1);
  });

  it('does not show the credentials of a mirror', async () => {
    answers = [(_, response) => void response.writeHead(404).end()];
    const secret = `${mirror}/x?token=hunter2`.replace('http://', 'http://user:hunter2@');
    const failed = pull({ mirror: secret });
    await expect(failed).rejects.toThrow(/cannot be downloaded|answered/);
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });

  it('stops when the signal aborts', async () => {
    const controller = new AbortController();
    answers = [
      (_, response) => {
        response.write(CONTENT.subarray(0, 1000));
        controller.abort();
      },
    ];
    await expect(pull({ signal: controller.signal })).rejects.toMatchObject({ code: 'interrupted' });
    expect(await filesIn()).toEqual(['manifest.json']);
  });

  it('gives a hint for a bundled file without a mirror, and for an unknown name', async () => {
    await expect(pullModels({ modelsDir })).rejects.toMatchObject({
      code: 'model_missing',
      hint: matching(/--mirror/),
    });
    await expect(pull({ name: 'oracle' })).rejects.toMatchObject({ code: 'bad_option' });
  });
});

describe('a pack that is not bundled', () => {
  const REVISION = '0d3b403339b4674a82493d5e97964dd78089ddc8';

  it('is fetched only by name', async () => {
    expect(await pull()).toEqual(['nanodet-int8']);
    expect(await filesIn()).toEqual(['manifest.json', 'tiny.onnx']);
  });

  it('is fetched alone from a mirror of the hub, each file at its pinned revision', async () => {
    expect(await pull({ name: 'mobile-sam', mirror: `${mirror}/` })).toEqual([
      'mobile-sam-encoder',
      'mobile-sam-decoder',
    ]);
    const folder = `/models/Acly/MobileSAM/resolve/${REVISION}`;
    expect(requested).toEqual([
      `${folder}/mobile_sam_image_encoder.onnx`,
      `${folder}/sam_mask_decoder_multi.onnx`,
    ]);
    expect(await filesIn()).toEqual([
      'manifest.json',
      'mobile_sam_image_encoder.onnx',
      'sam_mask_decoder_multi.onnx',
    ]);
  });

  it('is rejected when a mirror serves another file', async () => {
    answers = [(_, response) => void response.end(Buffer.alloc(CONTENT.length, 'x'))];
    await expect(pull({ name: 'mobile-sam' })).rejects.toMatchObject({ code: 'model_hash_mismatch' });
    expect(await filesIn()).toEqual(['manifest.json']);
  });
});
