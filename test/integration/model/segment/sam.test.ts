/**
 * Compares the adapter, on a small model of SAM's architecture with random weights, with the Python reference's results for the
 * same picture (training/export/sam.py --size tiny --fixture).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Box } from '../../../../src/core/maths/box.js';
import { i420Layout } from '../../../../src/core/video/frame.js';
import { decodeMask } from '../../../../src/core/image/mask.js';
import type { Mask } from '../../../../src/core/percept.js';
import { segmentGrid, segmentPrompts } from '../../../../src/model/segment/sam/sam-masks.js';
import { SamModel, type SamOptions, type SamScene } from '../../../../src/model/segment/sam/sam-model.js';
import { resizeRgb } from '../../../../src/model/segment/sam/sam-picture.js';
import { SamThread } from '../../../../src/model/segment/sam/sam-thread.js';
import type { Prompt } from '../../../../src/model/segment/segmenter.js';

const FOLDER = fileURLToPath(new URL('../../../fixtures/sam/', import.meta.url));
const OPTIONS: SamOptions = {
  encoder: `${FOLDER}encoder.onnx`,
  decoder: `${FOLDER}decoder.onnx`,
  name: 'tiny@1',
  device: 'cpu',
  threads: 1,
};

interface Reference {
  width: number;
  height: number;
  /** Hexadecimal bytes, as `resized.rgb`. */
  rgb: string;
  resized: { width: number; height: number; rgb: string };
  cases: {
    /** px: left, top, right, bottom */
    box: [number, number, number, number] | null;
    /** px: x, y, label */
    points: [number, number, number][] | null;
    quality: number;
    counts: string;
  }[];
  grid: {
    settings: {
      pointsPerSide: number;
      minQuality: number;
      minStability: number;
      stabilityOffset: number;
      nmsIou: number;
    };
    masks: { quality: number; counts: string }[];
  };
}
const REFERENCE = JSON.parse(readFileSync(`${FOLDER}reference.json`, 'utf8')) as Reference;
const { width, height } = REFERENCE;
const PICTURE = { pixels: Uint8Array.from(Buffer.from(REFERENCE.rgb, 'hex')), width, height };

let model: SamModel;
let scene: SamScene;
beforeAll(async () => {
  model = await SamModel.open(OPTIONS);
  scene = await model.encode(PICTURE);
});
afterAll(() => model.close());

/** Share of px that two masks agree on. */
function agreement(found: Mask | undefined, counts: string): number {
  const reference = decodeMask({ size: [height, width], counts });
  const pixels = found ? decodeMask(found) : new Uint8Array(reference.length);
  return pixels.reduce((same, px, i) => same + (px === reference[i] ? 1 : 0), 0) / reference.length;
}

function toPrompt({ box, points }: Reference['cases'][number]): Prompt {
  return {
    ...(box && {
      box: [
        box[0] / width,
        box[1] / height,
        (box[2] - box[0]) / width,
        (box[3] - box[1]) / height,
      ] satisfies Box,
    }),
    ...(points && { points: points.map(([x, y, on]) => ({ at: [x / width, y / height], on: on === 1 })) }),
  };
}

describe('compared with the Python reference', () => {
  it.each([
    ['enlarged', PICTURE, REFERENCE.resized],
    ['reduced', undefined, undefined],
  ])('resizes a picture to the same px when it is %s', (_, picture, expected) => {
    if (!picture) {
      // A constant picture is the same after any filter: only the border could differ.
      const grey = { pixels: new Uint8Array(50 * 40 * 3).fill(77), width: 50, height: 40 };
      expect(new Set(resizeRgb(grey, 17, 13).pixels)).toEqual(new Set([77]));
      return;
    }
    const resized = resizeRgb(picture, expected.width, expected.height);
    const bytes = Buffer.from(expected.rgb, 'hex');
    const gaps = bytes.map((byte, i) => Math.abs(byte - (resized.pixels[i] ?? 0)));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1);
    expect(gaps.filter((gap) => gap > 0).length / gaps.length).toBeLessThan(0.01);
  });

  it.each(REFERENCE.cases.map((one, index) => [index, one] as const))(
    'gives the same mask and quality for prompt %i',
    async (_, one) => {
      const [segment] = await segmentPrompts(model, scene, [toPrompt(one)]);
      expect(segment?.quality).toBeCloseTo(one.quality, 3);
      expect(segment?.mask?.size).toEqual([height, width]);
      expect(agreement(segment?.mask, one.counts)).toBeGreaterThan(0.995);
    },
  );

  it('has prompts whose masks differ, which the test above requires', () => {
    const [first, ...others] = REFERENCE.cases.map(({ counts }) => counts);
    expect(
      others.every((counts) => agreement({ size: [height, width], counts: first ?? '' }, counts) > 0.995),
    ).toBe(false);
  });

  it('finds the same masks from a grid of points', async () => {
    const found = await segmentGrid(model, scene, REFERENCE.grid.settings);
    expect(REFERENCE.grid.masks.length).toBeGreaterThan(1);
    expect(found).toHaveLength(REFERENCE.grid.masks.length);
    for (const [index, { quality, counts }] of REFERENCE.grid.masks.entries()) {
      expect(found[index]?.quality).toBeCloseTo(quality, 3);
      expect(agreement(found[index]?.mask, counts)).toBeGreaterThan(0.995);
    }
  });
});

describe('opening a pair', () => {
  it('rejects two files that are not a pair, and reports why', async () => {
    const swapped = SamModel.open({ ...OPTIONS, encoder: OPTIONS.decoder, decoder: OPTIONS.encoder });
    await expect(swapped).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('encoder must have one input') as string,
    });
    const twice = SamModel.open({ ...OPTIONS, decoder: OPTIONS.encoder });
    await expect(twice).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('point_coords') as string,
    });
  });
});

describe('in its own worker', () => {
  const layout = i420Layout(90, 60);
  const view = (fill = 120) => ({
    pixels: new Uint8Array(new SharedArrayBuffer(layout.byteLength)).fill(fill),
    width: 90,
    height: 60,
  });
  const prompts: Prompt[] = [{ box: [0.1, 0.2, 0.3, 0.5] }, { points: [{ at: [0.7, 0.5] }] }];
  const deadly = { pixels: new Uint8Array(new SharedArrayBuffer(16)), width: 1, height: 1 };

  it('segments prompts and a grid from one encoding of the picture, the same each time', async () => {
    await using sam = await SamThread.open(OPTIONS);
    const grid = { pointsPerSide: 3, minQuality: -10, minStability: 0 };
    const [one, again] = await Promise.all([
      sam.encode(view(), prompts, grid),
      sam.encode(view(), prompts, grid),
    ]);
    expect(one.prompted.map(({ mask }) => mask?.size)).toEqual([
      [60, 90],
      [60, 90],
    ]);
    expect(one.found.length).toBeGreaterThan(0);
    expect(again).toEqual(one);
    expect(await sam.segment(view(), prompts)).toEqual(one.prompted);
  });

  it('rejects the call that crashes it, and handles the next one', async () => {
    await using sam = await SamThread.open({
      ...OPTIONS,
      workerEntry: fileURLToPath(new URL('../../../support/model/crashing-sam-worker.mjs', import.meta.url)),
      sleep: () => Promise.resolve(),
    });
    const crashed = sam.segment(deadly, prompts);
    const next = sam.segment(view(), prompts);
    await expect(crashed).rejects.toMatchObject({ code: 'worker_crashed', retryable: true });
    expect(await next).toHaveLength(2);
  });

  it('interrupts waiting calls when it is closed, and rejects further ones', async () => {
    const sam = await SamThread.open(OPTIONS);
    const open = Promise.allSettled([sam.segment(view(), prompts), sam.segment(view(), prompts)]);
    await sam.close();
    for (const call of await open)
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    await expect(sam.segment(view(), prompts)).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('fails to open a file that is not a model', async () => {
    const wrong = SamThread.open({ ...OPTIONS, encoder: `${FOLDER}reference.json` });
    await expect(wrong).rejects.toMatchObject({ code: 'model_invalid' });
  });
});
