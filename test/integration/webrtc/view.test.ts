import { expect, onTestFinished, vi } from 'vitest';
import type { Frame } from '../../../src/core/video/frame.js';
import { findFfmpeg } from '../../../src/ingest/ffmpeg-binary.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { sampleVideo } from '../../../src/service/version.js';
import { call, openBrowser, openPage } from '../../support/webrtc/chromium.js';
import { startLiveServer } from '../../support/webrtc/live-server.js';
import { inBrowser } from '../../support/webrtc/live-test.js';

interface Seen {
  readonly mediatime: number;
  readonly grey: number;
  readonly settled: boolean;
  readonly width: number;
  readonly sum: number;
}

/** Share of settled pictures that may lie at the media time of another one. */
const MAX_WRONG = 0.05;

/** Each frame differs by 24 levels from its neighbours: an overlay of that media time lies on that very picture. */
function wrongShare(seen: readonly Seen[], greys: ReadonlyMap<number, number>): number {
  const luma = (grey: number): number => 16 + (grey * 219) / 255;
  const settled = seen.filter((picture) => picture.settled);
  const wrong = settled.filter(
    ({ mediatime, grey }) => Math.abs((greys.get(mediatime) ?? -99) - luma(grey)) > 6,
  );
  return wrong.length / settled.length;
}

inBrowser('a viewer sees the pictures of a publisher, and knows the media time of each', async () => {
  const server = await startLiveServer();
  const browser = await openBrowser();
  const publisher = await openPage(browser, server.page('publisher.html'));
  await call(publisher, 'publish', `${server.http}/v1/streams/door/whip`);
  await vi.waitFor(() => expect(server.streams.get('door')?.frames).toBeGreaterThan(5), 15_000);
  const viewer = await openPage(browser, server.page('viewer.html'));
  const { greys } = server.streams.get('door')!;
  const watch = (): Promise<Seen[]> =>
    call<Seen[]>(viewer, 'watch', `${server.http}/v1/streams/door/whep`, 80);
  let seen = await watch();
  // A browser on a busy machine now and then draws the next picture; a clock that is off by one picture is wrong every time.
  for (let retries = 2; retries > 0 && wrongShare(seen, greys) > MAX_WRONG; retries -= 1)
    seen = await watch();
  expect(wrongShare(seen, greys)).toBeLessThanOrEqual(MAX_WRONG);
  expect(seen.filter(({ settled }) => settled).length).toBeGreaterThan(40);
  expect(new Set(seen.map(({ grey }) => Math.round(grey / 24))).size).toBeGreaterThan(4);

  const session = await viewer.evaluate<string>('session');
  expect((await fetch(session, { method: 'DELETE' })).status).toBe(200);
  expect(server.engine.dump()).toMatchObject({ sessions: 1, feeds: 0 });
});

inBrowser('viewers see a recording, all from the same pictures', async () => {
  const server = await startLiveServer({ others: ['file'] });
  const ffmpeg = await findFfmpeg({});
  const source = server.taps.wrap(
    'file',
    openSource(parseSource(sampleVideo), { ffmpeg, mode: 'live', loop: true }),
  );
  onTestFinished(() => source.close());
  source.frame$.subscribe((frame: Frame) => frame[Symbol.dispose]());
  await vi.waitFor(() => expect(server.taps.flowing('file')).toBe(true), 10_000);
  const browser = await openBrowser();
  const watch = async (): Promise<Seen[]> => {
    const viewer = await openPage(browser, server.page('viewer.html'));
    return call<Seen[]>(viewer, 'watch', `${server.http}/v1/streams/file/whep`, 25);
  };
  const both = await Promise.all([watch(), watch()]);
  for (const seen of both) {
    expect(new Set(seen.map(({ sum }) => sum)).size).toBeGreaterThan(15);
    expect(seen.every(({ width }) => width > 0 && width <= 768)).toBe(true);
  }
  expect(server.engine.dump()).toMatchObject({ sessions: 2, feeds: 1 });
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    await fetch(await page.evaluate<string>('session'), { method: 'DELETE' });
  }
  expect(server.engine.dump()).toMatchObject({ sessions: 0, feeds: 0 });
});
