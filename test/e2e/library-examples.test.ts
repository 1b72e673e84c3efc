/** The examples of the library, as they are. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { tempFolder } from '../support/transport/temp-folder.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
vi.setConfig({ testTimeout: 120_000 });

async function run(name: string): Promise<string> {
  const env = { ...process.env, PRESAGE_DATA: join(tempFolder(), 'data') };
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'examples', name)], {
    cwd: ROOT,
    env,
  });
  return stdout;
}

it('prints predictions of a recording', async () => {
  expect(await run('library.mjs')).toMatch(/^(meet|loiter|exit|collide|stop)( o\d+)+ 0\.\d+ \S+/m);
});

it('counts the events of a recording', async () => {
  expect(await run('library-analyze.mjs')).toMatch(/enter: \d+/);
});

it('runs with a source, a perception, an expert, an explainer and a sink of its own', async () => {
  const output = await run('library-custom.mjs');
  expect(output).toMatch(/^event stop$/m);
  expect(output).toMatch(/^120 frames, [1-9]\d* events offered to the explainer, ended normally$/m);
});
