/** A browser publishes to the whole program, and sees what it publishes. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { startCli } from '../support/cli.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { WsClient } from '../support/transport/ws-client.js';
import { runFfmpeg } from '../support/video/video.js';
import { call, noChromium, openBrowser, openPage } from '../support/webrtc/chromium.js';
import { servePages } from '../support/webrtc/live-server.js';
import { testWith } from '../support/webrtc/live-test.js';

const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
vi.setConfig({ testTimeout: 120_000 });

/** The recording as a camera of Chromium's. */
async function cameraFile(folder: string): Promise<string> {
  const file = join(folder, 'camera.y4m');
  await runFfmpeg(['-t', '8', '-i', RECORDING, '-vf', 'scale=512:384', '-pix_fmt', 'yuv420p', file]);
  return file;
}

testWith(
  noChromium,
  'tells of the people that a browser publishes, shows them, and ends cleanly',
  async () => {
    const cwd = tempFolder();
    const { origin } = await servePages();
    const cli = startCli(['watch', 'webrtc:', '--port', '0', '--allowed-origins', origin], { cwd });
    const [, url = ''] = await cli.says(/page\s+(http:\S+)/);
    const client = await new WsClient(
      `${url.replace(/^http/, 'ws')}v1/streams/cam1/events?from=oldest`,
    ).opened();
    await client.until(({ messages }) => messages.some(({ type }) => type === 'presage.stream.state.v1'));
    expect(client.messages[0]).toMatchObject({ data: { state: 'connecting' } });

    const browser = await openBrowser(`--use-file-for-fake-video-capture=${await cameraFile(cwd)}`);
    const publish = (stream: string) =>
      openPage(browser, `${origin}/publish.html?service=${url}&stream=${stream}&start=1`);
    const publisher = await publish('cam1');
    await client.until(({ messages }) =>
      messages.some(
        (message) =>
          message.type === 'presage.event.observed.v1' &&
          message.data.event.participants.some(({ label }) => label === 'person'),
      ),
    );
    // A stream that is not there is made.
    await publish('gate');
    await vi.waitFor(async () => {
      const { streams } = (await (await fetch(`${url}v1/streams`)).json()) as { streams: unknown[] };
      expect(streams).toContainEqual(
        expect.objectContaining({
          id: 'gate',
          source: 'webrtc:',
          state: expect.stringMatching(/live|degraded/) as string,
        }),
      );
    }, 15_000);
    const viewer = await openPage(browser, `${origin}/viewer.html`);
    const seen = await call<{ sum: number }[]>(viewer, 'watch', `${url}v1/streams/cam1/whep`, 20);
    expect(new Set(seen.map(({ sum }) => sum)).size).toBeGreaterThan(10);

    await publisher.click('#stop');
    await client.until(({ messages }) =>
      messages.some(
        (message) => message.type === 'presage.stream.state.v1' && message.data.state === 'reconnecting',
      ),
    );
    cli.kill('SIGINT');
    expect(await cli.ended).toMatchObject({ code: 130, signal: null, stderr: '' });
    await cli.leavesNothing();
  },
);
