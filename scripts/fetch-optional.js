// Runs the install scripts of optional packages that download a program, within a time limit. npm itself does not run
// them (package.json, `allowScripts`): without a connection, mediasoup's would try for minutes to compile its worker.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HOST = 'https://github.com';
/** A host that has not answered by then counts as unreachable, ms. */
const PROBE_LIMIT_MS = 3000;
/** Enough for 100 MB at 15 Mbit/s, ms. */
const FETCH_LIMIT_MS = 60_000;

const PACKAGES = [
  {
    name: 'ffmpeg-static',
    isNeeded: async () => !existsSync((await import('ffmpeg-static')).default ?? ''),
    script: ['install.js'],
    // A mirror, if the user names one.
    host: process.env.FFMPEG_BINARIES_URL ?? HOST,
    without: 'an ffmpeg on PATH is used, or the one of 2018 that is installed with presage',
  },
  {
    name: 'mediasoup',
    isNeeded: async () => !existsSync((await import('mediasoup')).workerBin),
    script: ['npm-scripts.mjs', 'postinstall'],
    host: HOST,
    without: 'live video is served by the built-in engine',
  },
];

const isProxied = Object.keys(process.env).some((key) => /^https?_proxy$/i.test(key));
await Promise.all(PACKAGES.map(provide));

async function provide({ name, isNeeded, script, host, without }) {
  // The package itself is missing after an installation with --omit=optional.
  if (!existsSync(folderOf(name)) || !(await isNeeded())) return;
  // `fetch` ignores the proxy that the install scripts use.
  if ((isProxied || (await isReachable(host))) && (await runScript(name, script))) return;
  console.error(
    `presage: the program of ${name} could not be downloaded; ${without}. To try again: npm run fetch-optional`,
  );
}

async function isReachable(host) {
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    return true;
  } catch {
    return false;
  }
}

/** Whether the install script has succeeded in time. */
async function runScript(name, args) {
  const child = spawn(process.execPath, args, {
    cwd: folderOf(name),
    stdio: 'ignore',
    // A Python that does not exist: where there is no prebuilt worker, mediasoup would compile one.
    env: { ...process.env, PYTHON: 'python-is-not-used-here' },
    // A group of its own, so that the programs that the script has started end with it.
    detached: process.platform !== 'win32',
  });
  const timer = setTimeout(() => endGroup(child), FETCH_LIMIT_MS);
  try {
    const [code] = await once(child, 'close');
    return code === 0;
  } finally {
    clearTimeout(timer);
  }
}

function folderOf(name) {
  return fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
}

function endGroup(child) {
  if (process.platform === 'win32') child.kill();
  else process.kill(-child.pid, 'SIGKILL');
}
