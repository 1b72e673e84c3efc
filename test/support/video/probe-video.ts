import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ENCODER } from './video.js';

const run = promisify(execFile);

/** What a player finds in a video: every picture is decoded. Rejects when one can't be. */
export async function probeVideo(file: string): Promise<{ frames: number; durationS: number }> {
  const args = ['-nostdin', '-v', 'info', '-nostats', '-i', file];
  const sums = ['-map', '0:v:0', '-vsync', 'passthrough', '-f', 'framecrc', '-'];
  const strict = await run(ENCODER.path, ['-nostdin', '-v', 'error', '-xerror', '-i', file, ...sums]);
  if (strict.stderr !== '') throw new Error(`${file}: ${strict.stderr}`);
  const { stderr } = await run(ENCODER.path, [...args, ...sums]);
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(stderr) ?? [];
  const frames = strict.stdout.split('\n').filter((line) => /^\d/.test(line)).length;
  return { frames, durationS: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) };
}
