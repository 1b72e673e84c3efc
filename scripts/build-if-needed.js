// Builds dist/ when a source is newer than the last build. `npm ci` has built it already, so `npm start` begins at once.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Files and folders that determine the content of dist/. */
const SOURCES = ['src', 'demo', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
/** The file that the build writes last: a build that failed leaves an old one. */
const LAST_OUTPUT = join(ROOT, 'dist/demo/index.html');

const startMs = Date.now();
const builtMs = modifiedMs(LAST_OUTPUT);
if (!SOURCES.some((source) => isNewer(join(ROOT, source), builtMs))) process.exit(0);

const cause = builtMs === undefined ? 'dist/ is missing or incomplete' : 'sources have changed';
console.error(`presage: building, because ${cause} ...`);
const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
  cwd: ROOT,
  // The commands that follow own standard output.
  stdio: ['ignore', 2, 2],
  shell: process.platform === 'win32',
});
if (status !== 0) process.exit(status ?? 1);
// A source that was saved during the build may not be part of it and must count as newer.
utimesSync(LAST_OUTPUT, startMs / 1000, startMs / 1000);
console.error(`presage: built in ${((Date.now() - startMs) / 1000).toFixed(1)} s`);

/** Whether a file, or a folder with anything in it, was modified after that time. A deleted file modifies its folder. */
function isNewer(path, ms) {
  if (ms === undefined) return true;
  const stats = statSync(path);
  if (stats.mtimeMs > ms) return true;
  return stats.isDirectory() && readdirSync(path).some((name) => isNewer(join(path, name), ms));
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
