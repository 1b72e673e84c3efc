import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { PresageError } from '../core/errors.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
/** An ffmpeg that has not told its version by then is not usable, ms. */
const VERSION_TIMEOUT_MS = 10_000;

export interface Ffmpeg {
  readonly path: string;
  /** Where it was found. */
  readonly origin: 'FFMPEG_PATH' | 'ffmpeg-static' | 'PATH' | '@ffmpeg-installer/ffmpeg';
  /** As it says itself, e.g. `5.1.9-0+deb12u1`. */
  readonly version: string;
  /** Something the user should know about it. */
  readonly notice?: string;
}

export interface FindFfmpegOptions {
  /** A program named by the user; when it does not run, nothing else is tried. */
  readonly path?: string | undefined;
  /** Folders to search; default: the environment's PATH. */
  readonly searchPath?: string;
}

/**
 * The ffmpeg to use: the one named, else that of `ffmpeg-static`, else on PATH, else of `@ffmpeg-installer/ffmpeg`.
 * @throws PresageError `ffmpeg_missing`
 */
export async function findFfmpeg(options: FindFfmpegOptions = {}): Promise<Ffmpeg> {
  if (options.path !== undefined) return useNamed(options.path);
  const candidates: [Ffmpeg['origin'], string | undefined][] = [
    ['ffmpeg-static', packaged('ffmpeg-static', (found) => found as string | null)],
    ['PATH', onPath(options.searchPath ?? process.env['PATH'] ?? '')],
    [
      '@ffmpeg-installer/ffmpeg',
      packaged('@ffmpeg-installer/ffmpeg', (found) => (found as { path: string }).path),
    ],
  ];
  for (const [origin, path] of candidates) {
    const version = path === undefined ? undefined : await versionOf(path);
    if (path === undefined || version === undefined) continue;
    if (origin !== '@ffmpeg-installer/ffmpeg') return { path, origin, version };
    const notice =
      'this ffmpeg is from 2018; a newer one is faster and knows more: sudo apt-get install ffmpeg';
    return { path, origin, version, notice };
  }
  throw new PresageError('ffmpeg_missing', 'no ffmpeg was found', {
    hint: 'install one (sudo apt-get install ffmpeg, brew install ffmpeg) or name one with FFMPEG_PATH',
  });
}

/** Major version, or 4 for builds of 2018 that have none; options are chosen by it. */
export function majorVersion({ version }: Pick<Ffmpeg, 'version'>): number {
  const [, year] = /^(?:git-)?(20\d\d)-\d\d-\d\d/.exec(version) ?? []; // a nightly build named by its day
  if (year !== undefined) return Number(year) >= 2022 ? 6 : 4;
  const [, released] = /^n?(\d+)\./.exec(version) ?? [];
  if (released !== undefined) return Number(released);
  const [, revision] = /^N-(\d+)/.exec(version) ?? [];
  // Nightly builds are numbered by commits; 108000 is the beginning of 2022.
  return revision !== undefined && Number(revision) > 108_000 ? 6 : 4;
}

async function useNamed(path: string): Promise<Ffmpeg> {
  const version = await versionOf(path);
  if (version !== undefined) return { path, origin: 'FFMPEG_PATH', version };
  throw new PresageError('ffmpeg_missing', `${path} is not an ffmpeg that runs here`, {
    hint: 'correct or remove FFMPEG_PATH (or --ffmpeg)',
  });
}

function packaged(name: string, pathOf: (found: unknown) => string | null): string | undefined {
  try {
    const path = pathOf(require(name));
    return path !== null && isProgram(path) ? path : undefined;
  } catch {
    return undefined; // an optional package that is not installed, or has nothing for this platform
  }
}

function onPath(searchPath: string): string | undefined {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['-hide_banner', '-version'], { timeout: VERSION_TIMEOUT_MS });
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined; // not a program, or not for this machine
  }
}
