/** Compares every model file on every device that starts on this machine with the CPU. The output lists the other devices. */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { chooseDevice } from '../../../src/model/runtime/device.js';
import {
  bundledModelsDir,
  findModel,
  loadManifest,
  verifyModel,
  type ModelEntry,
} from '../../../src/model/runtime/manifest.js';
import { ModelSession, type Device, type InputTensor } from '../../../src/model/runtime/ort.js';

const SAM = fileURLToPath(new URL('../../fixtures/sam/', import.meta.url));
const DEVICES = ['cuda', 'tensorrt', 'webgpu', 'coreml', 'dml'] as const satisfies readonly Device[];
/** Maximum difference through reduced precision, as a share of the output's largest value. */
const TOLERANCE = 0.05;
/** Sizes of the symbolic dimensions: a picture of 128 × 96 px on a canvas of the same size, three boxes. */
const SYMBOLS: Readonly<Record<string, number>> = {
  width: 128,
  height: 96,
  chromaWidth: 64,
  chromaHeight: 48,
  things: 3,
  points: 2,
  'canvasWidth/8': 16,
  'canvasHeight/8': 12,
  'canvasWidth/16': 8,
  'canvasHeight/16': 6,
  'canvasWidth/32': 4,
  'canvasHeight/32': 3,
};

/** Deterministic smooth values by position. */
function fill(name: string, type: string, dims: readonly number[]): InputTensor {
  const length = dims.reduce((product, dim) => product * dim, 1);
  const wave = (i: number): number => Math.sin(i / 7) * Math.cos(i / 131);
  if (type === 'int64') return { type, data: BigInt64Array.of(96n, 128n), dims };
  if (type === 'uint8')
    return { type, data: Uint8Array.from({ length }, (_, i) => 128 + 90 * wave(i)), dims };
  const data = Float32Array.from({ length }, (_, i) => {
    if (name === 'covered') return 1;
    if (name === 'boxes') return [0.2, 0.3, 0.25, 0.4][i % 4]! + 0.05 * Math.floor(i / 4);
    return name === 'points' ? 0 : wave(i);
  });
  return { type: 'float32', data, dims };
}

async function outputsOn(device: Device, path: string, entry: Pick<ModelEntry, 'inputs' | 'outputs'>) {
  await using session = await ModelSession.open(path, { device, threads: 1 });
  const feed = Object.fromEntries(
    Object.entries(entry.inputs).map(([name, { type, shape }]) => {
      const dims = shape.map((dim) => (typeof dim === 'number' ? dim : (SYMBOLS[dim] ?? 1)));
      return [name, fill(name, type, dims)];
    }),
  );
  return await session.run(feed, Object.keys(entry.outputs));
}

/** Devices that start on this machine, each tested in a child process as with `--device`. */
async function findDevices(): Promise<Device[]> {
  const entry = findModel(await loadManifest(bundledModelsDir()), 'detector');
  const path = join(bundledModelsDir(), entry.file);
  const detector = { ...entry.settings, path, device: 'cpu', threads: 1 } as const;
  const present: Device[] = [];
  for (const device of DEVICES) {
    const chosen = await chooseDevice({ device, detector }).catch(() => undefined);
    if (chosen) present.push(device);
    else console.info(`no ${device} starts on this machine: its parity is not tested`);
  }
  return present;
}

const present = await findDevices();
const models: { name: string; path: string; entry: Pick<ModelEntry, 'inputs' | 'outputs'> }[] = [];

beforeAll(async () => {
  const folder = bundledModelsDir();
  const manifest = await loadManifest(folder);
  for (const entry of manifest.models.filter(({ role }) => ['detector', 'objects', 'clip'].includes(role)))
    models.push({ name: entry.name, path: await verifyModel(folder, entry), entry });
  const float = (...shape: (number | string)[]) => ({ type: 'float32', shape });
  models.push({
    name: 'SAM encoder',
    path: `${SAM}encoder.onnx`,
    entry: { inputs: { input_image: float('height', 'width', 3) }, outputs: { image_embeddings: float() } },
  });
});

it('is deterministic on the CPU, which the comparison below requires', async () => {
  for (const { path, entry } of models) {
    const [one, again] = [await outputsOn('cpu', path, entry), await outputsOn('cpu', path, entry)];
    for (const name of Object.keys(one)) {
      expect(again[name]!.data).toEqual(one[name]!.data);
      expect(one[name]!.data.some((value) => value !== 0)).toBe(true);
    }
  }
});

describe.each(present)('on %s', (device) => {
  it('has the results of the CPU', async () => {
    for (const { name, path, entry } of models) {
      const [cpu, other] = [await outputsOn('cpu', path, entry), await outputsOn(device, path, entry)];
      for (const output of Object.keys(cpu)) {
        const reference = cpu[output]!.data;
        const largest = reference.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const gap = reference.reduce(
          (largest, value, i) => Math.max(largest, Math.abs(value - (other[output]!.data[i] ?? NaN))),
          0,
        );
        expect(gap / largest, `${output} of ${name}`).toBeLessThan(TOLERANCE);
      }
    }
  });
});
