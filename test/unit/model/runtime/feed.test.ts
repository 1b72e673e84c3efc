import { describe, expect, it } from 'vitest';
import { checkFeed, type InputSpec, type InputTensor } from '../../../../src/model/runtime/ort.js';

const SPECS: InputSpec[] = [
  { name: 'u', type: 'uint8', shape: [1, 1, 'height', 'width'] },
  { name: 'v', type: 'uint8', shape: [1, 1, 'height', 'width'] },
  { name: 'canvas', type: 'int64', shape: [2] },
];

function feed(): Record<string, InputTensor> {
  const plane = { type: 'uint8', data: new Uint8Array(6), dims: [1, 1, 2, 3] } as const;
  return { u: plane, v: plane, canvas: { type: 'int64', data: BigInt64Array.of(32n, 32n), dims: [2] } };
}

describe('checkFeed', () => {
  it('accepts a feed that matches the graph', () => {
    expect(() => checkFeed(SPECS, feed())).not.toThrow();
  });

  it.each<[string, Record<string, InputTensor>, RegExp]>([
    [
      'a wrong element type',
      { u: { type: 'float32', data: new Float32Array(6), dims: [1, 1, 2, 3] } },
      /u is float32, expected uint8/,
    ],
    ['a wrong rank', { u: { type: 'uint8', data: new Uint8Array(6), dims: [2, 3] } }, /u has 2 dimensions/],
    [
      'a wrong fixed dimension',
      { canvas: { type: 'int64', data: new BigInt64Array(3), dims: [3] } },
      /canvas is \[3\].* 2 on axis 0/,
    ],
    [
      'planes of different sizes',
      { v: { type: 'uint8', data: new Uint8Array(6), dims: [1, 1, 3, 2] } },
      /v is .* 2 on axis 2/,
    ],
    [
      'too few elements',
      { v: { type: 'uint8', data: new Uint8Array(5), dims: [1, 1, 2, 3] } },
      /v has 5 elements, expected 6/,
    ],
    [
      'an empty dimension',
      { u: { type: 'uint8', data: new Uint8Array(0), dims: [1, 1, 0, 3] } },
      /u has dimension 0/,
    ],
    [
      'an input that the graph lacks',
      { w: { type: 'uint8', data: new Uint8Array(1), dims: [1] } },
      /w is not an input/,
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => checkFeed(SPECS, { ...feed(), ...change })).toThrow(message);
  });

  it('accepts an empty dimension where an input may be empty', () => {
    const empty = { type: 'uint8', data: new Uint8Array(0), dims: [1, 1, 0, 3] } as const;
    const feedOfNone = { ...feed(), u: empty, v: empty };
    expect(() => checkFeed(SPECS, feedOfNone, new Set(['u', 'v']))).not.toThrow();
    expect(() => checkFeed(SPECS, feedOfNone, new Set(['u']))).toThrow(/v has dimension 0/);
  });

  it('rejects a feed that lacks an input with inference_failed', () => {
    const { u, canvas } = feed();
    expect(() => checkFeed(SPECS, { u: u!, canvas: canvas! })).toThrow(
      expect.objectContaining({ code: 'inference_failed' }),
    );
  });
});
