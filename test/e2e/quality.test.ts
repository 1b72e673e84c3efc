import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const main = path('../../dist/cli/main.js');
const scorer = path('../../../shared/eval/score.py');
const pets = path('../../../shared/data/pets');
const required = process.env['PRESAGE_REQUIRE_ALL'] === '1';
const python = '/usr/bin/python3'; // Debian's own: only it sees python3-scipy
const available = existsSync(scorer) && spawnSync(python, ['-c', 'import scipy']).status === 0;

interface Scores {
  readonly MOTA: number;
  readonly IDF1: number;
  readonly all: { readonly f1: number; readonly skill: number };
}

describe.skipIf(!available && !required)(
  'a street of 80 s against its annotation (needs ../shared and python3-scipy)',
  () => {
    let folder: string;
    let result: string;
    const score = async (kind: string): Promise<Scores> => {
      const size = ['--width', '768', '--height', '576', '--fps', '10'];
      const { stdout } = await run(python, [scorer, kind, join(pets, 'gt.txt'), result, ...size]);
      return JSON.parse(stdout) as Scores;
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'presage-quality-'));
      result = join(folder, 'out.jsonl');
      const video = join(pets, 'vtest.avi');
      await run(process.execPath, [main, 'analyze', video, '--labels', 'person', '--out', result]);
    }, 300_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('tracks its people', async () => {
      const { MOTA, IDF1 } = await score('mot');
      // Just below what was measured (bench/RESULTS.md, quality).
      expect(MOTA).toBeGreaterThanOrEqual(0.79);
      expect(IDF1).toBeGreaterThanOrEqual(0.85);
    });

    it('tells what happens there', async () => {
      expect((await score('events')).all.f1).toBeGreaterThan(0.73);
    });

    it('forecasts better than the base rates of the street, which it does not know', async () => {
      expect((await score('forecast')).all.skill).toBeGreaterThan(0.07);
    });
  },
);
