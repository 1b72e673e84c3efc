import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { build, type Rollup } from 'vite';

export const CHROMIUM = process.env['PRESAGE_CHROMIUM'] ?? '/usr/bin/chromium';
const ENTRY = fileURLToPath(new URL('../../../src/client/index.ts', import.meta.url));

/** Why no browser can be tested with here; undefined when one can. With PRESAGE_REQUIRE_ALL=1 it must. */
export const noChromium: string | undefined = existsSync(CHROMIUM) ? undefined : `there is no ${CHROMIUM}`;
if (noChromium !== undefined && process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(noChromium);

/** The client as one script for browsers, on `window.presage`. */
export async function bundleClient(): Promise<{ code: string; modules: readonly string[] }> {
  const built = (await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: 'esbuild',
      lib: { entry: ENTRY, name: 'presage', formats: ['iife'] },
    },
  })) as Rollup.RollupOutput[];
  const [chunk] = built.flatMap(({ output }) => output);
  if (chunk?.type !== 'chunk') throw new Error('nothing was bundled');
  return { code: chunk.code, modules: chunk.moduleIds };
}

/** A page of the service with the client in it; ended with the test. */
export async function openClientPage(url: string): Promise<Page> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(url);
  await page.addScriptTag({ content: (await bundleClient()).code });
  return page;
}
