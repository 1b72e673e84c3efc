/** The dashboard in a real browser, below a path of a real reverse proxy. */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PageLog } from '../../support/dashboard/page-log.js';
import { freePort, RunningService } from '../../support/dashboard/running-service.js';
import { tempFolder } from '../../support/transport/temp-folder.js';
import { startReverseProxy, type ReverseProxyOptions } from '../../support/transport/reverse-proxy.js';
import { noChromium, openBrowser } from '../../support/webrtc/chromium.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
const PREFIX = '/api/hassio_ingress/8Zk-x_1';
/** The machine may be busy: nothing here waits for a time, only for what is to happen. */
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 150_000 });

type Interest = Pick<ReverseProxyOptions, 'strips' | 'headers'> & { readonly args: readonly string[] };

async function open(wish: Interest): Promise<{ page: Page; log: PageLog; strayed: readonly string[] }> {
  const port = await freePort();
  const service = await RunningService.start({
    ...{ port, cwd: tempFolder(), args: [RECORDING, '--loop', ...wish.args] },
  });
  onTestFinished(() => service.stop());
  const proxy = await startReverseProxy({ target: port, prefix: PREFIX, ...wish });
  const browser = await openBrowser();
  const page = await (await browser.newContext()).newPage();
  const log = new PageLog(page);
  await page.goto(`${proxy.origin}${PREFIX}/`);
  return { page, log, strayed: proxy.strayed };
}

describe.skipIf(noChromium !== undefined)(
  `the dashboard below a path${noChromium ? ` (skipped: ${noChromium})` : ''}`,
  () => {
    it.each([
      ['of an ingress', { args: [], strips: true, headers: { 'x-ingress-path': PREFIX } }],
      ['that it was given', { args: ['--base-path', PREFIX], strips: false }],
    ])('shows moving video and events behind a proxy with a path %s', async (_, wish: Interest) => {
      const { page, log, strayed } = await open(wish);
      const overlay = page.locator('.overlay');
      // Video and what is drawn over it come by WHEP or MJPEG, and by the WebSocket.
      await overlay.and(page.locator('[data-mediatime]')).waitFor({ timeout: PATIENCE_MS });
      const first = await overlay.getAttribute('data-mediatime');
      await vi.waitFor(
        async () => expect(await overlay.getAttribute('data-mediatime')).not.toBe(first),
        PATIENCE_MS,
      );
      await page.locator('.events li').first().waitFor({ timeout: PATIENCE_MS });
      expect(log.problems).toEqual([]);
      // Browsers ask for /favicon.ico of the origin by themselves.
      expect(strayed.filter((url) => url !== '/favicon.ico')).toEqual([]);
    });
  },
);
