import { sampleVideo } from '../../src/service/version.js';
import { positive, type Bench } from '../support/bench.js';
import { crashRounds } from './crash-rounds.js';
import { table } from '../support/results.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

/** `presage watch` killed at random moments, on one data folder, and what is left each time. */
export const crash: Bench = {
  options: { rounds: '50', 'longest-ms': '8000', video: sampleVideo },
  async run(options) {
    await using folder = await TemporaryFolder.make();
    const report = await crashRounds({
      video: options['video'] ?? sampleVideo,
      folder: folder.path,
      rounds: positive(options, 'rounds'),
      longestMs: positive(options, 'longest-ms'),
      random: Math.random,
    });
    const { problems, rounds, early, durable, objects, pictures, lost, maxLostS } = report;
    return [
      `\`presage watch\` on one data folder, killed (SIGKILL) ${rounds} times at random moments, ${early} of them before it served.`,
      'After each: `integrity_check`, sequences, ids, media time, messages against those that a WebSocket client had received, pictures.',
      '',
      table(
        [
          'durable messages received',
          'of them lost',
          'objects told',
          'pictures',
          'most of memory lost, s',
          'problems',
        ],
        [[durable, lost, objects, pictures, maxLostS.toFixed(2), problems.length].map(String)],
      ),
      ...(problems.length > 0 ? ['', ...problems.slice(0, 20).map((problem) => `- ${problem}`)] : []),
    ].join('\n');
  },
};
