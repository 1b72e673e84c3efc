import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chromium } from 'playwright-core';
import type { Frame } from '../../src/core/video/frame.js';
import { i420Layout } from '../../src/core/video/frame.js';
import type { LiveVideoEngine } from '../../src/core/video/live-video.js';

/*
 * Cameras whose pictures carry the wall time at which they were made: a row of black and white blocks, 32 bits of
 * milliseconds, and under it the same inverted, by which a picture that was spoilt is known. A box moves below.
 */

const [WIDTH, HEIGHT, FPS] = [640, 360, 25];
const BITS = 32;
const BLOCK_PX = WIDTH / BITS;
const ROW_PX = 24;
const MODULUS = 2 ** BITS;

/** When a frame was made, wall ms; undefined where it cannot be read. */
export function captureTime({ pixels, layout }: Frame, nowMs: number): number | undefined {
  const { width, height } = layout;
  const bit = (index: number, row: number): boolean => {
    const x = Math.floor(((index + 0.5) * width) / BITS);
    const y = Math.floor(((row + 0.5) * ROW_PX * height) / HEIGHT);
    return (pixels[y * width + x] ?? 0) > 128;
  };
  let value = 0;
  for (let index = 0; index < BITS; index += 1) {
    const on = bit(index, 0);
    if (on === bit(index, 1)) return undefined;
    value = value * 2 + (on ? 1 : 0);
  }
  return nowMs - ((nowMs - value) % MODULUS);
}

/** A camera that nobody listens to yet tries again after this, ms. */
const RETRY_MS = 300;

/** Publishes by RTSP, encoded by ffmpeg, until it is disposed. */
export class RtspCamera implements AsyncDisposable {
  readonly #start: () => ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #child: ChildProcess;
  #count = 0;
  #ended = false;

  constructor(address: string, ffmpegPath: string) {
    const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-r', String(FPS)];
    const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(FPS)];
    const log = ['-loglevel', 'fatal', '-fflags', 'nobuffer', '-probesize', '32'];
    const args = [
      ...log,
      ...input,
      '-i',
      'pipe:0',
      ...codec,
      '-f',
      'rtsp',
      '-rtsp_transport',
      'tcp',
      address,
    ];
    this.#start = () => {
      const child = spawn(ffmpegPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.on('error', () => undefined); // it was ended
      child.once('exit', () => {
        if (!this.#ended) setTimeout(() => (this.#child = this.#start()), RETRY_MS);
      });
      return child;
    };
    this.#child = this.#start();
    this.#timer = setInterval(() => this.#child.stdin?.write(this.#picture()), 1000 / FPS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #picture(): Buffer {
    const { ySize, byteLength } = i420Layout(WIDTH, HEIGHT);
    const picture = Buffer.alloc(byteLength, 128).fill(110, 0, ySize);
    const left = (this.#count * 6) % (WIDTH - 80);
    this.#count += 1;
    for (let y = 180; y < 260; y += 1) picture.fill(220, y * WIDTH + left, y * WIDTH + left + 80);
    const value = Date.now() % MODULUS;
    for (let y = 0; y < 2 * ROW_PX; y += 1) {
      for (let index = 0; index < BITS; index += 1) {
        const on = Math.floor(value / 2 ** (BITS - 1 - index)) % 2 === 1;
        const from = y * WIDTH + index * BLOCK_PX;
        picture.fill(on === y < ROW_PX ? 235 : 16, from, from + BLOCK_PX);
      }
    }
    return picture;
  }
}

const PAGE = `(async () => {
  const canvas = document.createElement('canvas');
  canvas.width = ${WIDTH}; canvas.height = ${HEIGHT};
  const context = canvas.getContext('2d');
  let count = 0;
  const draw = () => {
    context.fillStyle = '#6e6e6e'; context.fillRect(0, 0, ${WIDTH}, ${HEIGHT});
    context.fillStyle = '#dcdcdc'; context.fillRect((count++ * 6) % ${WIDTH - 80}, 180, 80, 80);
    const value = Date.now() % ${MODULUS};
    for (let row = 0; row < 2; row += 1) for (let index = 0; index < ${BITS}; index += 1) {
      const on = Math.floor(value / 2 ** (${BITS} - 1 - index)) % 2 === 1;
      context.fillStyle = on === (row === 0) ? '#fff' : '#000';
      context.fillRect(index * ${BLOCK_PX}, row * ${ROW_PX}, ${BLOCK_PX}, ${ROW_PX});
    }
  };
  setInterval(draw, 1000 / ${FPS});
  const stream = canvas.captureStream(${FPS});
  const peer = (window.publisher = new RTCPeerConnection());
  peer.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream] });
  await peer.setLocalDescription();
  await new Promise((resolve) => { peer.onicecandidate = ({ candidate }) => candidate || resolve(); });
  const answer = await publish(peer.localDescription.sdp);
  await peer.setRemoteDescription({ type: 'answer', sdp: answer });
})()`;

/** Publishes from a page in Chromium, until it is disposed. */
export async function publishFromBrowser(engine: LiveVideoEngine, id: string): Promise<AsyncDisposable> {
  const browser = await chromium.launch({
    executablePath: process.env['PRESAGE_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns'],
  });
  const page = await browser.newPage();
  await page.exposeFunction('publish', async (offer: string) => (await engine.publish(id, offer)).answer);
  await page.evaluate(PAGE);
  return { [Symbol.asyncDispose]: () => browser.close() };
}
