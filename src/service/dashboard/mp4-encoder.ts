import { spawn } from 'node:child_process';
import type { VideoEncoder, VideoEncoderSink } from '../../transport/view/stream-view.js';

/** One that does not end by itself after its input has ended is killed after this, ms. */
const END_MS = 2000;
const FRAGMENT_US = 250_000;

/** Starts an ffmpeg that turns JPEGs, timed by their arrival, into fragmented MP4 (H.264). */
export function openMp4Encoder(ffmpegPath: string, fps: number, sink: VideoEncoderSink): VideoEncoder {
  const child = spawn(ffmpegPath, mp4Arguments(fps), {
    stdio: ['pipe', 'pipe', 'ignore'],
    // A group of its own: Ctrl+C is handled by this process, and ffmpeg ends with its input in any case.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  // An early end causes EPIPE here; it is handled in `close`.
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Uint8Array) => sink.data(chunk));
  const end = (): void => {
    process.off('exit', killWithUs);
    clearTimeout(killer);
    sink.end();
  };
  child.once('error', end);
  child.once('close', end);
  let killer: NodeJS.Timeout | undefined;
  return {
    write: (jpeg) => child.stdin.write(jpeg),
    close: () => {
      child.stdin.end();
      killer ??= setTimeout(killWithUs, END_MS).unref();
    },
  };
}

function mp4Arguments(fps: number): string[] {
  const quiet = ['-hide_banner', '-loglevel', 'error', '-nostdin'];
  const prompt = ['-probesize', '32', '-analyzeduration', '0', '-fflags', 'nobuffer'];
  const input = ['-use_wallclock_as_timestamps', '1', '-f', 'mjpeg', '-i', 'pipe:0', '-an'];
  const even = ['-vf', 'scale=trunc(iw/2)*2:trunc(ih/2)*2:out_range=tv'];
  const gop = String(Math.max(Math.round(fps), 1));
  const coded = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-g',
    gop,
    '-pix_fmt',
    'yuv420p',
  ];
  const fragments = [
    '-movflags',
    'frag_keyframe+empty_moov+default_base_moof',
    '-frag_duration',
    String(FRAGMENT_US),
  ];
  return [...quiet, ...prompt, ...input, ...even, ...coded, ...fragments, '-f', 'mp4', 'pipe:1'];
}
