import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a player finds in a video: every picture is decoded. Rejects when one can't be. */
export async function probeVideo(file: string): Promise<{ frames: number; durationS: number }> {
  const { stdout, stderr } = await promisify(execFile)('ffprobe', [
    ...['-v', 'error', '-count_frames', '-select_streams', 'v:0', '-of', 'json'],
    ...['-show_entries', 'stream=nb_read_frames:format=duration', file],
  ]);
  if (stderr !== '') throw new Error(`${file}: ${stderr}`);
  const { streams, format } = JSON.parse(stdout) as {
    streams: { nb_read_frames: string }[];
    format: { duration: string };
  };
  return { frames: Number(streams[0]?.nb_read_frames), durationS: Number(format.duration) };
}
