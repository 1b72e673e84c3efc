import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const PROGRAM = process.env['PRESAGE_CHROMIUM'] ?? '/usr/bin/chromium';

/** Why no browser can be tested with here; undefined when one can. With PRESAGE_REQUIRE_ALL=1 it must. */
export const noChromium: string | undefined = existsSync(PROGRAM) ? undefined : `there is no ${PROGRAM}`;
if (noChromium !== undefined && process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(noChromium);

/** A browser with a fake camera that asks nobody, ended with the test. */
export async function openBrowser(): Promise<Browser> {
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  return browser;
}

/** The same for several tests, to be closed by them. */
export function launchBrowser(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--no-sandbox',
      // Addresses as they are: there is no multicast DNS where tests run.
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--autoplay-policy=no-user-gesture-required',
      ...more,
    ],
  });
}

/** A page at an address, in a window of its own. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera'] });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Calls a function that a test page has put on its window. */
export function call<T>(page: Page, name: string, ...args: readonly unknown[]): Promise<T> {
  return page.evaluate(`window[${JSON.stringify(name)}](...${JSON.stringify(args)})`);
}
