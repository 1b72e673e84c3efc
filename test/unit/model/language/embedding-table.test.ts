import { describe, expect, it } from 'vitest';
import { EmbeddingTable, WIDTH } from '../../../../src/model/language/embedding-table.js';
import { headOf } from '../../../../src/model/language/key-value-cache.js';

describe('EmbeddingTable', () => {
  const rows = Int8Array.from({ length: 2 * WIDTH }, (_, i) => (i % 200) - 100);
  const bytes = new Uint8Array(2 * WIDTH + 8);
  bytes.set(new Uint8Array(rows.buffer));
  bytes.set(new Uint8Array(Float32Array.of(0.5, 2).buffer), 2 * WIDTH);

  it('multiplies rows by their scale', () => {
    const table = new EmbeddingTable(bytes);
    const into = new Float32Array(3 * WIDTH).fill(9);
    table.lookUp([1, 0], into, WIDTH);
    expect(into[0]).toBe(9);
    expect(into[WIDTH + 5]).toBe((rows[WIDTH + 5] ?? 0) * 2);
    expect(into[2 * WIDTH + 5]).toBe((rows[5] ?? 0) * 0.5);
  });

  it('rejects tokens beyond its end and files without whole rows', () => {
    expect(() => new EmbeddingTable(bytes).lookUp([2], new Float32Array(WIDTH), 0)).toThrow(
      expect.objectContaining({ code: 'inference_failed' }),
    );
    expect(() => new EmbeddingTable(bytes.subarray(1))).toThrow(
      expect.objectContaining({ code: 'model_invalid' }),
    );
    expect(() => new EmbeddingTable(new Uint8Array(0))).toThrow(
      expect.objectContaining({ code: 'model_invalid' }),
    );
  });
});

describe('headOf', () => {
  it('keeps the first positions of every head', () => {
    const key = Float32Array.from({ length: 3 * 4 * 64 }, (_, i) => Math.floor(i / 64));
    const [layer] = headOf({ length: 4, layers: [{ key, value: key }] }, 2).layers;
    expect([0, 1, 2, 3, 4, 5].map((row) => layer?.key[row * 64])).toEqual([0, 1, 4, 5, 8, 9]);
    expect(layer?.value).toHaveLength(3 * 2 * 64);
  });
});
