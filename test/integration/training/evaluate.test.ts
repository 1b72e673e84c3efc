import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../../src/ingest/ffmpeg-binary.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RECORDING = join(ROOT, 'examples', 'pedestrians.mp4');
const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0;
const required = process.env['PRESAGE_REQUIRE_ALL'] === '1';

interface Scores {
  readonly n: number;
  readonly answered: number;
  readonly accuracy: number;
}

describe.skipIf(!python && !required)('python -m training.evaluate (needs python3)', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'presage-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reads the published formats of its datasets', async () => {
    const modules = ['training.tests.test_qa', 'training.tests.test_curves'];
    const { stderr } = await run('python3', ['-B', '-m', 'unittest', ...modules], { cwd: ROOT });
    expect(stderr).toMatch(/Ran \d\d tests[\s\S]*\nOK/);
  });

  it('asks Presage about the videos that are there and counts what it does not understand as wrong', async () => {
    const ffmpeg = (await findFfmpeg({})).path;
    const clip = join(folder, 'v_street.mp4');
    await run(ffmpeg, ['-v', 'error', '-i', RECORDING, '-t', '2', '-c', 'copy', clip]);
    const questions = [
      ['a', 'street', 'is there a person?', 'yes', 3],
      ['b', 'street', 'what does love taste of', 'salt', 8],
      ['c', 'elsewhere', 'is there a person?', 'yes', 3],
    ] as const;
    const asked = questions.map(([id, video, question]) => ({
      ...{ question_id: id, video_name: video, question },
    }));
    const answers = questions.map(([id, , , answer, type]) => ({ question_id: id, answer, type }));
    writeFileSync(join(folder, 'test_q.json'), JSON.stringify(asked));
    writeFileSync(join(folder, 'test_a.json'), JSON.stringify(answers));
    const command = `${process.execPath} ${join(ROOT, 'dist/cli/main.js')}`;
    const args = ['-B', '-m', 'training.evaluate', '--dataset', 'activitynetqa', '--root', folder];
    const { stdout } = await run('python3', [...args, '--presage', command], { cwd: ROOT });
    const { presage } = JSON.parse(stdout) as { presage: Record<string, Scores> };
    expect(presage['yes/no']).toMatchObject({ n: 1, answered: 1, accuracy: 1 });
    expect(presage['other']).toMatchObject({ n: 1, answered: 0, accuracy: 0 });
    expect(presage['all']).toMatchObject({ n: 2 });
  }, 180_000);
});
