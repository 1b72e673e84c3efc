import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DurableLog } from '../../../src/transport/log/durable-log.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const WRITER = fileURLToPath(new URL('../../support/transport/log-writer.mjs', import.meta.url));
const ROUNDS = 5;

/** Runs the writer and kills it in the middle of its work, once it has told `lines` messages. */
async function killedWriter(folder: string, round: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, folder, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(line);
    if (told.length === lines) child.kill('SIGKILL');
  }
  expect(told.length).toBeGreaterThanOrEqual(lines);
  return told;
}

describe('DurableLog under SIGKILL', () => {
  it('keeps every message that it told, without gaps, and never gives its sequence to another', async () => {
    const folder = tempFolder();
    const told = new Map<number, string>();
    let saved = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const line of await killedWriter(folder, round, 200 + 379 * round)) {
        const [sequence, nonce] = line.split(' ') as [string, string];
        expect(told.has(Number(sequence)), `sequence ${sequence} was told twice`).toBe(false);
        told.set(Number(sequence), nonce);
      }
      const log = await DurableLog.open({ folder });
      const { first, last } = log.range('cam1');
      const entries = log.read('cam1', 1, last + 1);
      expect(first).toBe(1);
      expect(entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
      const kept = entries.map(({ json }) => JSON.parse(json) as { sequence: number; nonce: string });
      kept.forEach(({ sequence }, index) => expect(sequence).toBe(index + 1));
      for (const [sequence, nonce] of told) expect(kept[sequence - 1]?.nonce).toBe(nonce);
      const state = log.load('cam1', 'count') as { round: number; count: number };
      expect(state.round).toBe(round);
      expect(last).toBeGreaterThan(saved);
      saved = last;
      await log.close();
    }
  });
});
