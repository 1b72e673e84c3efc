import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { runProgram } from './presage-process.js';

/** The recording several times in one file, not encoded again. */
export async function repeatVideo(video: string, times: number, file: string): Promise<void> {
  const { path } = await findFfmpeg({});
  const loop = ['-stream_loop', String(times - 1), '-i', video];
  await runProgram(path, ['-v', 'error', ...loop, '-c', 'copy', '-an', file]);
}
