/** Compares the forecaster and the cause head in this runtime with the results of PyTorch at the export, value by value. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bundledModelsDir, loadManifest } from '../../../src/model/runtime/manifest.js';
import { ModelSession, type InputTensor } from '../../../src/model/runtime/ort.js';

const REFERENCE = fileURLToPath(new URL('../../../training/train/runs/parity.json', import.meta.url));
const CASES = [1, 2, 7, 48];
const TOLERANCE = 2e-5;
const SAMPLES = 64;
const GOLDEN = 0.6180339887498949;

/** Maps whole numbers to numbers from 0 to 1, as training/export/track_inputs.py does. */
const spread = (index: number): number => (index * GOLDEN) % 1;
const float = (data: Iterable<number>, ...dims: number[]): InputTensor => ({
  type: 'float32',
  dims,
  data: Float32Array.from(data),
});
const whole = (data: readonly number[]): InputTensor => ({
  type: 'int64',
  dims: [data.length],
  data: BigInt64Array.from(data, BigInt),
});

/** Objects on straight lines with jitter and gaps; the last of several was never in view. */
function trackFeed(count: number, steps: number): Record<string, InputTensor> {
  const objects = Array.from({ length: count }, (_, object) => object);
  const isSeen = (object: number, step: number): boolean =>
    spread(object * steps + step + 9000) > 0.1 && (count === 1 || object < count - 1);
  const boxes = objects.flatMap((object) => {
    const own = (salt: number): number => spread(object * 7 + salt);
    const start = [own(1) * 1.2, own(2) * 0.8, own(5) * 0.25 + 0.05, own(6) * 0.25 + 0.05];
    const speed = [(own(3) - 0.5) * 0.1, (own(4) - 0.5) * 0.1, 0, 0];
    return Array.from({ length: steps }, (_, step) =>
      start.map((value, axis) => {
        const jitter = (spread((object * steps + step) * 4 + axis + 500) - 0.5) * 0.004;
        return isSeen(object, step) ? value + speed[axis]! * (step / 10) + jitter : 0;
      }),
    ).flat();
  });
  const seen = objects.flatMap((object) =>
    Array.from({ length: steps }, (_, step) => (isSeen(object, step) ? 1 : 0)),
  );
  return {
    boxes: float(boxes, count, steps, 4),
    seen: float(seen, count, steps),
    kind: whole(objects.map((object) => object % 4)),
    age: float(
      objects.map((object) => spread(object * 7 + 7) * 60),
      count,
    ),
    aspect: float([1.4], 1),
  };
}

/** A collision of the first two; a third of the pairs touched before. */
function causeFeed(count: number): Record<string, InputTensor> {
  const contact = Array.from({ length: count * count }, (_, at) => {
    const [one, other] = [Math.floor(at / count), at % count];
    const code = Math.min(one, other) * 48 + Math.max(one, other);
    const touched = spread(code + 77) < 0.33 && one !== other;
    return touched ? [spread(code + 333) * 0.9 + 0.1, spread(code + 555) * 9] : [0, 0];
  }).flat();
  const role = [1, 2, ...Array.from({ length: count }, () => 0)].slice(0, count);
  return {
    ...trackFeed(count, 100),
    event: whole([10]),
    role: whole(role),
    contact: float(contact, count, count, 2),
  };
}

/** At most SAMPLES values, evenly spread. */
function sampled(values: Float32Array): number[] {
  const count = Math.min(SAMPLES, values.length);
  const stride = count > 1 ? (values.length - 1) / (count - 1) : 0;
  return Array.from(
    { length: count },
    (_, i) => values[i === count - 1 ? values.length - 1 : Math.trunc(i * stride)]!,
  );
}

const MODELS = [
  { role: 'forecaster', feed: (count: number) => trackFeed(count, 30) },
  { role: 'causes', feed: causeFeed },
] as const;

it.each(MODELS)(
  'the $role computes the results of PyTorch for any number of objects',
  async ({ role, feed }) => {
    const reference = JSON.parse(readFileSync(REFERENCE, 'utf8')) as Record<string, Record<string, number[]>>;
    const manifest = await loadManifest(bundledModelsDir());
    const entry = manifest.models.find((model) => model.role === role)!;
    const path = join(bundledModelsDir(), entry.file);
    await using session = await ModelSession.open(path, { device: 'cpu', threads: 1 });
    for (const count of CASES) {
      const outputs = await session.run(feed(count), Object.keys(entry.outputs));
      for (const [name, expected] of Object.entries(reference[`${role} ${count}`]!)) {
        const values = sampled(outputs[name]!.data);
        expect(values.length).toBe(expected.length);
        const gap = Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
        expect(gap, `${name}, ${count} objects`).toBeLessThan(TOLERANCE);
      }
    }
  },
);
