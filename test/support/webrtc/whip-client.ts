import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from '../transport/temp-folder.js';

const PROGRAM = '/usr/bin/whip-client';
const SHIM = fileURLToPath(new URL('./no-upnp.c', import.meta.url));

/** Why no other WHIP client can be tested with here; undefined when one can. With PRESAGE_REQUIRE_ALL=1 it must. */
export const noWhipClient: string | undefined = !existsSync(PROGRAM)
  ? 'there is no simple-whip-client'
  : spawnSync('cc', ['--version']).status === 0
    ? undefined
    : 'there is no C compiler to mend simple-whip-client with';
if (noWhipClient !== undefined && process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(noWhipClient);

export interface WhipClient {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  told(): string;
}

export interface WhipClientOptions {
  readonly url: string;
  readonly token?: string;
  /** GStreamer's element and its payloader. Default VP8. */
  readonly codec?: 'VP8' | 'H264';
}

const ENCODERS = {
  VP8: 'vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 ssrc=2',
  H264: 'x264enc tune=zerolatency key-int-max=30 ! video/x-h264,profile=constrained-baseline ! rtph264pay pt=96 ssrc=2 config-interval=-1',
};

/** Debian's simple-whip-client, which publishes a bouncing ball of 640 × 360 at 20 pictures a second; ended with the test. */
export function startWhipClient({ url, token, codec = 'VP8' }: WhipClientOptions): WhipClient {
  const folder = tempFolder();
  const library = 'libgupnp-igd-1.0.so.4';
  execFileSync('cc', ['-shared', '-fPIC', `-Wl,-soname,${library}`, '-o', join(folder, library), SHIM]);
  const picture = 'videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=20/1';
  const rtp = `application/x-rtp,media=video,encoding-name=${codec},payload=96`;
  const video = `${picture} ! videoconvert ! queue ! ${ENCODERS[codec]} ! queue ! ${rtp}`;
  const child = spawn(PROGRAM, ['-u', url, ...(token ? ['-t', token] : []), '-V', video, '-l', '5', '-o'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LD_LIBRARY_PATH: folder, GST_REGISTRY: join(folder, 'registry') },
  });
  let told = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (text: Buffer) => (told += text.toString()));
  }
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, told: () => told };
}
