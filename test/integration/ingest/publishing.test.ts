/** The examples that publish, each against the source that its head names. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { SourceState } from '../../../src/core/source.js';
import { EncodedRing } from '../../../src/ingest/encoded/encoded-ring.js';
import { freePortPair } from '../../../src/ingest/mediasoup/free-ports.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { seen } from '../../support/video/clips.js';
import { ENCODER as ffmpeg, noNewerFfmpeg as noFfmpeg } from '../../support/video/video.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));
const noGStreamer = missing('gst-launch-1.0', 'there is no gst-launch-1.0 (gstreamer1.0-tools)');

function missing(program: string, reason: string): string | undefined {
  if (spawnSync(program, ['--version']).error === undefined) return undefined;
  if (process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(reason);
  return reason;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

interface Listening {
  readonly times: number[];
  readonly states: SourceState[];
  readonly ring: EncodedRing;
}

function listen(address: string): Listening {
  const ring = new EncodedRing({ seconds: 30, maxBytes: 32e6 });
  const source = openSource(parseSource(address), {
    ...{ ffmpeg, mode: 'live', retryBaseMs: 50, stallMs: 10_000, encoded: ring },
  });
  onTestFinished(() => source.close());
  const listening: Listening = { times: [], states: [], ring };
  source.state$.subscribe((state) => listening.states.push(state));
  source.frame$.subscribe((frame) => listening.times.push(seen(frame).t));
  return listening;
}

/** Runs an example in a process group of its own, since it is a shell that runs others. @returns what kills it */
function publish(script: string, ...args: readonly string[]): () => void {
  const env = { ...process.env, PATH: [dirname(ffmpeg.path), process.env['PATH']].join(delimiter) };
  const child = spawn(`${EXAMPLES}${script}`, args, { detached: true, env, stdio: 'ignore' });
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, 'SIGKILL');
    }
  };
  onTestFinished(kill);
  return kill;
}

async function frames(times: readonly number[], count: number): Promise<void> {
  await vi.waitFor(() => expect(times.length).toBeGreaterThan(count), { timeout: 20_000, interval: 50 });
}

it.skipIf(noFfmpeg !== undefined)(
  `publish-rtsp.sh is seen, and seen again after it was killed${noFfmpeg ? ` [skipped: ${noFfmpeg}]` : ''}`,
  async () => {
    const port = await freePort();
    const { times, states, ring } = listen(`rtsp-listen://:${port}/camera`);
    const again = async (): Promise<() => void> => {
      const before = times.length;
      // A publisher that came before somebody listened has gone; a robot would try again, too.
      let kill = publish('publish-rtsp.sh', `${EXAMPLES}pedestrians.mp4`, `rtsp://127.0.0.1:${port}/camera`);
      await vi.waitFor(
        () => {
          if (times.length > before + 5) return;
          kill();
          kill = publish('publish-rtsp.sh', `${EXAMPLES}pedestrians.mp4`, `rtsp://127.0.0.1:${port}/camera`);
          throw new Error('nothing was seen yet');
        },
        { timeout: 25_000, interval: 6000 },
      );
      return kill;
    };
    (await again())();
    await vi.waitFor(() => expect(states.at(-1)?.state).not.toBe('live'), 10_000);
    await again();
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(new Set(ring.between(0, 1e9).map(({ run }) => run)).size).toBeGreaterThanOrEqual(2);
  },
  60_000,
);

it.skipIf(noFfmpeg !== undefined)(
  `publish-rtp.sh is seen${noFfmpeg ? ` [skipped: ${noFfmpeg}]` : ''}`,
  async () => {
    const port = await freePortPair();
    const { times } = listen(`rtp://:${port}`);
    publish('publish-rtp.sh', `${EXAMPLES}pedestrians.mp4`, `127.0.0.1:${port}`);
    await frames(times, 5);
  },
);

it.skipIf(noGStreamer !== undefined)(
  `publish-gstreamer.sh is seen${noGStreamer ? ` [skipped: ${noGStreamer}]` : ''}`,
  async () => {
    const port = await freePortPair();
    const { times, ring } = listen(`rtp://:${port}?codec=VP8`);
    publish('publish-gstreamer.sh', '127.0.0.1', String(port));
    await frames(times, 10);
    expect(ring.codec).toBe('V_VP8');
  },
);
