/** `rtsp-listen://`: the wait for a publisher, and a publisher that dies. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePortPair } from '../../../src/ingest/mediasoup/free-ports.js';
import { openSource, type OpenSourceOptions } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { childProcesses } from '../../support/child-processes.js';
import { ENCODER, supportedFfmpegs } from '../../support/video/video.js';
import { VideoReader } from '../../support/video/video-reader.js';

const ffmpegs = await supportedFfmpegs();
const STALL_MS = 3000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A connection, made as soon as somebody listens. */
function connected(port: number): Promise<Socket> {
  return vi.waitFor(
    async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    { timeout: 10_000, interval: 50 },
  );
}

class Publisher {
  #child: ChildProcess | undefined;
  #ended = false;
  readonly #url: string;

  /** Publishes to an address, and tries again as long as it is refused. */
  constructor(url: string) {
    this.#url = url;
    onTestFinished(() => this.kill());
    this.#run();
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  kill(): void {
    this.#ended = true;
    this.#child?.kill('SIGKILL');
  }

  #run(): void {
    const input = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=20'];
    const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-pix_fmt', 'yuv420p'];
    const args = ['-v', 'error', ...input, ...output, '-f', 'rtsp', '-rtsp_transport', 'tcp', this.#url];
    this.#child = spawn(ENCODER.path, args, { stdio: 'ignore' });
    this.#child.once('exit', () => {
      if (!this.#ended) this.#run();
    });
  }
}

describe.each(ffmpegs)('%s', (_, ffmpeg) => {
  const listen = (port: number, options: Partial<OpenSourceOptions> = {}): VideoReader => {
    const source = openSource(parseSource(`rtsp-listen://:${port}/camera`), {
      ...{ ffmpeg, mode: 'live', retryBaseMs: 50, retryMaxMs: 200, stallMs: STALL_MS },
      ...options,
    });
    onTestFinished(() => source.close());
    return new VideoReader(source);
  };

  it('takes a publisher that comes long after it began to listen', async () => {
    const port = await freePort();
    let passedMs = 0;
    const clock = { nowMs: () => performance.now() + passedMs, wall: () => new Date() };
    const reader = listen(port, { clock });
    await vi.waitFor(() => expect(childProcesses()).toHaveLength(1));
    passedMs = 15_000;
    new Publisher(`rtsp://127.0.0.1:${port}/camera`);
    await reader.atLeast(10);
    expect(reader.stateNames).toEqual(['connecting', 'live']);
  }, 30_000);

  it('notices a client that connects and sends nothing, and takes the publisher that comes next', async () => {
    const port = await freePort();
    let passedMs = 0;
    const clock = { nowMs: () => performance.now() + passedMs, wall: () => new Date() };
    const reader = listen(port, { clock });
    const silent = await connected(port);
    onTestFinished(() => void silent.destroy());
    // Longer than a child waits for a connection, and than a publisher may be silent.
    passedMs = 60_000;
    const { error } = await reader.enters('reconnecting');
    expect(error).toMatchObject({
      code: 'source_stalled',
      message: expect.stringContaining('sent no video') as string,
    });
    new Publisher(`rtsp://127.0.0.1:${port}/camera`);
    await reader.atLeast(10);
    expect(reader.stateNames.at(-1)).toBe('live');
  }, 40_000);

  it('keeps waiting for RTP without a change of its state, in one child after another', async () => {
    const port = await freePortPair();
    const source = openSource(parseSource(`rtp://:${port}`), {
      ...{ ffmpeg, mode: 'live', retryBaseMs: 50, retryMaxMs: 200, stallMs: 400 },
    });
    onTestFinished(() => source.close());
    const reader = new VideoReader(source);
    const seen = new Set<number>();
    await vi.waitFor(
      () => {
        childProcesses().forEach((id) => seen.add(id));
        expect(seen.size).toBeGreaterThanOrEqual(3);
      },
      { timeout: 15_000, interval: 20 },
    );
    expect(reader.stateNames).toEqual(['connecting']);
    expect(source.stats().reconnects).toBe(0);
  }, 20_000);

  it('notices a publisher that stops sending, and takes the next one', async () => {
    const port = await freePort();
    const reader = listen(port);
    const dead = new Publisher(`rtsp://127.0.0.1:${port}/camera`);
    await reader.atLeast(10);
    dead.freeze();
    const { error } = await reader.enters('reconnecting');
    expect(error.code).toBe('source_stalled');
    const before = reader.frames.length;
    new Publisher(`rtsp://127.0.0.1:${port}/camera`);
    await reader.atLeast(before + 10);
    expect(reader.stateNames.at(-1)).toBe('live');
  }, 40_000);
});
