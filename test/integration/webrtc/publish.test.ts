import { expect, vi } from 'vitest';
import { call, openBrowser, openPage } from '../../support/webrtc/chromium.js';
import { startLiveServer, type LiveServer, type SeenStream } from '../../support/webrtc/live-server.js';
import { inBrowser, testWith } from '../../support/webrtc/live-test.js';
import { noWhipClient, startWhipClient } from '../../support/webrtc/whip-client.js';

async function frames(server: LiveServer, more = 15): Promise<SeenStream> {
  const before = server.streams.get('door')?.frames ?? 0;
  await vi.waitFor(() => expect(server.streams.get('door')?.frames).toBeGreaterThan(before + more), 15_000);
  return server.streams.get('door')!;
}

function expectIncreasing(times: readonly number[]): void {
  expect(times.every((t, index) => index === 0 || t > times[index - 1]!)).toBe(true);
}

inBrowser('the example page publishes its camera with a token, stops, and publishes again', async () => {
  const token = 'a-token-of-the-test';
  const server = await startLiveServer({ server: { token } });
  const browser = await openBrowser();
  const query = `service=${server.http}&stream=door&token=${token}&start=1`;
  const page = await openPage(browser, `${server.page('publish.html')}?${query}`);
  const seen = await frames(server);
  expect(await page.textContent('#state')).toBe('published');
  expect(seen.states.map(({ state }) => state)).toEqual(['connecting', 'live']);

  await page.click('#stop');
  await vi.waitFor(() => expect(seen.state).toBe('reconnecting'), 5000);
  expect(seen.states.at(-1)).toMatchObject({ error: { code: 'source_unreachable', retryable: true } });
  expect(server.engine.dump()).toMatchObject({ sessions: 0 });
  const stoppedAt = seen.times.at(-1)!;

  await page.click('#start');
  await frames(server);
  expect(seen.state).toBe('live');
  expect(seen.source.stats().reconnects).toBe(1);
  expectIncreasing(seen.times);
  expect(seen.times.find((t) => t > stoppedAt)! - stoppedAt).toBeGreaterThan(0.2);
  await page.close();
});

inBrowser('the example page says that its token is wrong, and does not go on trying', async () => {
  const server = await startLiveServer({ server: { token: 'a-token-of-the-test' } });
  const query = `service=${server.http}&stream=door&token=another-token-than-that&start=1`;
  const page = await openPage(await openBrowser(), `${server.page('publish.html')}?${query}`);
  await vi.waitFor(async () => expect(await page.textContent('#state')).toMatch(/token is wrong/), 10_000);
  expect(server.streams.size).toBe(0);
});

inBrowser('a publisher that is killed is missed, and the next one goes on where media time is', async () => {
  const server = await startLiveServer({ lostMs: 1000 });
  const first = await openBrowser();
  const page = await openPage(first, server.page('publisher.html'));
  await call(page, 'publish', `${server.http}/v1/streams/door/whip`);
  const seen = await frames(server);
  const devtools = await page.context().newCDPSession(page);
  // Never answered: the process of the page ends without a word to anyone.
  void devtools.send('Page.crash').catch(() => undefined);
  const lostAt = seen.times.at(-1)!;
  await vi.waitFor(() => expect(seen.state).toBe('reconnecting'), 20_000);
  await vi.waitFor(() => expect(server.engine.dump().sessions).toBe(0), 20_000);

  const next = await openPage(await openBrowser(), server.page('publisher.html'));
  await call(next, 'publish', `${server.http}/v1/streams/door/whip`);
  await frames(server);
  expect(seen.state).toBe('live');
  expectIncreasing(seen.times);
  expect(seen.times.at(-1)! - lostAt).toBeGreaterThan(3);
});

inBrowser('pictures change their size in the middle of a stream', async () => {
  const server = await startLiveServer();
  const page = await openPage(await openBrowser(), server.page('publisher.html'));
  await call(page, 'publish', `${server.http}/v1/streams/door/whip`);
  const seen = await frames(server);
  const wide = () => seen.sizes.map((size) => Number(size.split('x')[0]) / Number(size.split('x')[1]));
  expect(wide().every((ratio) => Math.abs(ratio - 16 / 9) < 0.02)).toBe(true);
  await call(page, 'resize', 480, 480);
  await vi.waitFor(() => expect(wide().at(-1)).toBeCloseTo(1, 1), 10_000);
  await frames(server);
  await vi.waitFor(
    () => expect(seen.states.at(-1)).toMatchObject({ state: 'live', format: { width: 480, height: 480 } }),
    10_000,
  );
  expectIncreasing(seen.times);
  expect(seen.source.liveFrames).toBe(0);
});

inBrowser('a new publisher takes the place of the one before, whose session ends', async () => {
  const server = await startLiveServer();
  const browser = await openBrowser();
  const url = `${server.http}/v1/streams/door/whip`;
  const first = await openPage(browser, server.page('publisher.html'));
  const old = await call<string>(first, 'publish', url);
  const seen = await frames(server);
  const second = await openPage(browser, server.page('publisher.html'));
  await call(second, 'publish', url);
  await vi.waitFor(() => expect(server.engine.dump().sessions).toBe(1), 10_000);
  expect((await fetch(old, { method: 'DELETE' })).status).toBe(404);
  await frames(server);
  expect(seen.state).toBe('live');
  expectIncreasing(seen.times);
});

inBrowser('pictures go on over a restart of ICE', async () => {
  const server = await startLiveServer();
  const page = await openPage(await openBrowser(), server.page('publisher.html'));
  await call(page, 'publish', `${server.http}/v1/streams/door/whip`);
  const seen = await frames(server);
  expect(await call(page, 'restartIce')).toEqual({ status: 200, changed: true });
  await frames(server, 30);
  expect(await page.evaluate('published.peer.connectionState')).toBe('connected');
  expect(seen.states.map(({ state }) => state)).toEqual(['connecting', 'live']);
});

testWith(noWhipClient, 'a GStreamer WHIP client publishes, trickling its candidates', async () => {
  const token = 'a-token-of-the-test';
  const server = await startLiveServer({ server: { token } });
  const client = startWhipClient({ url: `${server.http}/v1/streams/door/whip`, token });
  const seen = await frames(server, 40).catch((cause: unknown) => {
    throw new Error(`no pictures: ${client.told().slice(-3000)}`, { cause });
  });
  expect(seen.sizes).toEqual(['640x360']);
  expectIncreasing(seen.times);
  client.child.kill('SIGINT');
  await vi.waitFor(() => expect(seen.state).toBe('reconnecting'), 10_000);
});
