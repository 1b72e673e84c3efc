/** `presage serve --webrtc mediasoup`, with publishers and viewers that share no code with it. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { startCli } from '../support/cli.js';
import { mediasoupUnavailable } from '../support/mediasoup.js';
import { tempFolder } from '../support/transport/temp-folder.js';
import { WsClient } from '../support/transport/ws-client.js';
import { runFfmpeg } from '../support/video/video.js';
import { noChromium, openBrowser, openPage } from '../support/webrtc/chromium.js';
import { noWhipClient, startWhipClient } from '../support/webrtc/whip-client.js';
import { publishScript, watchScript } from '../support/webrtc/page-scripts.js';

vi.setConfig({ testTimeout: 150_000 });
const RECORDING = fileURLToPath(new URL('../../examples/pedestrians.mp4', import.meta.url));
const reason = (await mediasoupUnavailable()) ?? noChromium ?? noWhipClient;

async function serve(): Promise<{ url: string; cwd: string }> {
  const cwd = tempFolder();
  const streams = 'streams:\n  - {id: cam, source: "webrtc:"}\n';
  writeFileSync(join(cwd, 'presage.yaml'), `server: {port: 0}\nlabels: [person]\n${streams}`);
  const worker = process.env['MEDIASOUP_WORKER_BIN'];
  const env = worker === undefined ? {} : { MEDIASOUP_WORKER_BIN: worker };
  const cli = startCli(['serve', '--webrtc', 'mediasoup'], { cwd, env });
  const [, url = ''] = await cli.says(/presage serves .* at (http:\S+)/);
  return { url, cwd };
}

async function stateOf(url: string): Promise<string> {
  return ((await (await fetch(`${url}v1/streams/cam`)).json()) as { state: string }).state;
}

function probe(path: string): { codec: string; seconds: number; firstFlags: string } {
  const entries = 'stream=codec_name:format=duration:packet=flags';
  const args = ['-v', 'error', '-of', 'json', '-show_entries', entries, path];
  const { stdout } = spawnSync('ffprobe', args, { encoding: 'utf8' });
  const { streams, format, packets } = JSON.parse(stdout) as {
    streams: { codec_name: string }[];
    format: { duration: string };
    packets: { flags: string }[];
  };
  return {
    codec: streams[0]?.codec_name ?? '',
    seconds: Number(format.duration),
    firstFlags: packets[0]?.flags ?? '',
  };
}

it.skipIf(reason !== undefined)(
  `tells the events of a camera that a browser publishes, shows it to two viewers, gives clips of it, and carries on with another publisher${reason ? ` (${reason})` : ''}`,
  async () => {
    const { url, cwd } = await serve();
    const camera = join(cwd, 'camera.y4m');
    await runFfmpeg(['-i', RECORDING, '-vf', 'scale=480:360', '-pix_fmt', 'yuv420p', camera]);
    const client = await new WsClient(
      `${url.replace(/^http/, 'ws')}v1/streams/cam/events?from=oldest`,
    ).opened();
    const browser = await openBrowser(`--use-file-for-fake-video-capture=${camera}`);
    const publisher = await openPage(browser, url);
    await publisher.evaluate(publishScript('cam'));
    await client.until(({ messages }) => messages.some(({ type }) => type === 'presage.event.observed.v1'));

    const viewers = await Promise.all([openPage(browser, url), openPage(browser, url)]);
    const shown = await Promise.all(viewers.map((page) => page.evaluate(watchScript('cam', 20))));
    for (const pictures of shown) expect(pictures).toBeGreaterThan(5);

    const observed = client.messages.find(({ type }) => type === 'presage.event.observed.v1');
    if (observed?.type !== 'presage.event.observed.v1') throw new Error('there is no event');
    const { id, t } = observed.data.event;
    expect((await fetch(`${url}v1/streams/cam/clips/${id}.mp4`)).status).toBe(406);
    const clip = await fetch(`${url}v1/streams/cam/clips/${id}.webm?before=2&after=1`);
    expect(clip.status).toBe(200);
    const [from, to] = ['x-presage-from', 'x-presage-to'].map((name) => Number(clip.headers.get(name)));
    expect(from).toBeLessThanOrEqual(t);
    expect(to).toBeGreaterThan(t);
    const path = join(cwd, 'clip.webm');
    await writeFile(path, Buffer.from(await clip.arrayBuffer()));
    const { codec, seconds, firstFlags } = probe(path);
    expect(codec).toBe('vp8');
    expect(firstFlags).toMatch(/^K/);
    expect(Math.abs(seconds - ((to as number) - (from as number)))).toBeLessThan(0.3);

    await browser.close();
    await vi.waitFor(async () => expect(await stateOf(url)).toBe('reconnecting'), 30_000);
    const before = client.messages.at(-1)?.mediatime ?? 0;
    startWhipClient({ url: `${url}v1/streams/cam/whip`, codec: 'H264' });
    await vi.waitFor(async () => expect(await stateOf(url)).toMatch(/live|degraded/), 40_000);
    await client.until(({ messages }) => (messages.at(-1)?.mediatime ?? 0) > before);
  },
);
