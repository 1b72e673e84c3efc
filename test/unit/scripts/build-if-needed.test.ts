import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempFolder } from '../../support/transport/temp-folder.js';

const SCRIPT = fileURLToPath(new URL('../../../scripts/build-if-needed.js', import.meta.url));
/** Stands for the compiler: writes what the build writes last, and counts. */
const BUILD = `
  import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
  if (existsSync('src/broken.ts')) process.exit(3);
  mkdirSync('dist/demo', { recursive: true });
  writeFileSync('dist/demo/index.html', '');
  appendFileSync('builds', '1');`;

let folder: string;

beforeEach(() => {
  folder = tempFolder();
  for (const name of ['scripts', 'src/deep', 'demo']) mkdirSync(join(folder, name), { recursive: true });
  copyFileSync(SCRIPT, join(folder, 'scripts/build-if-needed.js'));
  const scripts = { build: 'node build.js' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', scripts }));
  writeFileSync(join(folder, 'build.js'), BUILD);
  for (const name of ['src/deep/a.ts', 'src/deep/b.ts', 'tsconfig.json', 'tsconfig.build.json'])
    writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'package-lock.json'), '{}');
});

function run(): { code: number | null; stdout: string; stderr: string; builds: number } {
  const script = join(folder, 'scripts/build-if-needed.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const count = join(folder, 'builds');
  return { code: status, stdout, stderr, builds: existsSync(count) ? readFileSync(count).length : 0 };
}

/** Sets the time of a file or folder to a minute from now. */
function touch(name: string): void {
  const at = Date.now() / 1000 + 60;
  utimesSync(join(folder, name), at, at);
}

describe('build-if-needed', () => {
  it('builds when dist/ is missing and not again, and writes to standard error only', () => {
    expect(run()).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('missing') as string,
      builds: 1,
    });
    touch('dist/demo/index.html');
    expect(run()).toEqual({ code: 0, stdout: '', stderr: '', builds: 1 });
  });

  it.each(['src/deep/a.ts', 'demo', 'tsconfig.build.json', 'package-lock.json'])(
    'builds again when %s is newer than the last build',
    (name) => {
      run();
      touch(name);
      expect(run()).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('changed') as string,
        builds: 2,
      });
    },
  );

  it('builds again when a source was deleted', () => {
    run();
    rmSync(join(folder, 'src/deep/b.ts')); // changes the time of src/deep
    expect(run().builds).toBe(2);
  });

  it('ends with the code of a build that fails, and tries again the next time', () => {
    writeFileSync(join(folder, 'src/broken.ts'), '');
    expect(run()).toMatchObject({ code: 3, builds: 0 });
    rmSync(join(folder, 'src/broken.ts'));
    expect(run()).toMatchObject({ code: 0, builds: 1 });
  });
});
