/** The real process, killed at random moments; `npm run bench -- crash` does it 50 times. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { crashRounds } from '../../bench/endurance/crash-rounds.js';
import { tempFolder } from '../support/transport/temp-folder.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));

it(
  'loses nothing that it told and gives no number twice, whenever it is killed',
  { timeout: 300_000 },
  async () => {
    const report = await crashRounds({
      video: RECORDING,
      folder: tempFolder(),
      rounds: 5,
      longestMs: 6000,
      random: Math.random,
    });
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ rounds: 5, lost: 0 });
    expect(report.durable).toBeGreaterThan(0);
  },
);
