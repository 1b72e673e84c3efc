/** The dashboard in a real browser, on the built service with the recording that comes with Presage. */
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PageLog } from '../../support/dashboard/page-log.js';
import { freePort, RunningService } from '../../support/dashboard/running-service.js';
import { temporaryFolder } from '../../support/dashboard/temporary-folder.js';
import { runFfmpeg } from '../../support/video/video.js';
import { launchBrowser, noChromium } from '../../support/webrtc/chromium.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));
/** The machine may be busy: nothing here waits for a time, only for what is to happen. */
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const TOKEN = 'open-sesame-of-the-test';

let browser: Browser;
let folder: AsyncDisposable & { readonly path: string };
let service: RunningService;

describe.skipIf(noChromium !== undefined)(
  `the dashboard${noChromium ? ` (skipped: ${noChromium})` : ''}`,
  () => {
    beforeAll(async () => {
      folder = await temporaryFolder();
      // What the browser's camera sees: people, so that there is something to predict.
      const camera = path.join(folder.path, 'camera.mjpeg');
      await runFfmpeg(['-i', RECORDING, '-t', '20', '-q:v', '4', camera]);
      browser = await launchBrowser(`--use-file-for-fake-video-capture=${camera}`);
      service = await RunningService.start({
        args: [RECORDING, '--loop'],
        port: await freePort(),
        cwd: folder.path,
      });
    });
    afterAll(async () => {
      await browser.close();
      await service.stop();
      await folder[Symbol.asyncDispose]();
    });

    it('shows moving video with boxes of the very moment, without a complaint', async () => {
      const { page, log } = await open();
      const overlay = page.locator('.overlay');
      await moves(overlay);
      await vi.waitFor(async () => {
        const seen = await page.evaluate<StageReading>(READ_STAGE);
        expect(seen.overlay).toBe(seen.picture);
        expect(seen.painted).toBeGreaterThan(200);
        expect(seen.colours).toBeGreaterThan(1000);
      }, PATIENCE_MS);
      const first = await page.evaluate<string>(SAMPLE_PICTURE);
      await vi.waitFor(
        async () => expect(await page.evaluate<string>(SAMPLE_PICTURE)).not.toBe(first),
        PATIENCE_MS,
      );
      expect(log.problems).toEqual([]);
    });

    it('counts predictions down and tells what became of them', async () => {
      const { page } = await open();
      const card = page.locator('.card.open').first();
      await card.waitFor({ timeout: PATIENCE_MS });
      expect(await card.locator('.figure').innerText()).toMatch(/^[<>]?\s?\d+\s%$/);
      expect(await card.innerText()).toMatch(/usual|never seen/);
      await page.locator('.card.hit, .card.miss').first().waitFor({ timeout: PATIENCE_MS });
      expect(await page.locator('.tally').innerText()).toMatch(/\d+ came true · \d+ did not/);
    });

    it('lights up the objects of each step of an explanation', async () => {
      const { page } = await open();
      // An explanation with a chain; which event has one is chosen by the page.
      const step = page.locator('.chain button').first();
      const figure = page.locator('figure.evidence');
      for (let next = 0; !(await step.isVisible()); next += 1) {
        const why = page.locator('.events li button:has(.why)');
        await why.first().waitFor({ timeout: PATIENCE_MS });
        await why.nth(next % Math.max(await why.count(), 1)).click();
        await figure.waitFor();
      }
      await step.click();
      expect(await step.getAttribute('aria-pressed')).toBe('true');
      const marked = await step.locator('.object-dot').count();
      const lit = (await figure.getAttribute('data-lit')) ?? '';
      expect(lit.split(' ').filter((id) => /^o\d+$/.test(id)).length).toBeGreaterThanOrEqual(marked);
      // Choosing an event stops the video at its moment; the way back is one key.
      await page.locator('.timeline canvas').focus();
      await page.keyboard.press('End');
      await page.locator('.chip.back-live').waitFor({ state: 'detached' });
    });

    it('answers a question', async () => {
      const { page } = await open();
      await page.getByRole('tab', { name: 'Ask' }).click();
      await page.getByLabel('Question about cam1').fill('who is here now?');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      const answer = page.locator('.turns .answer').first();
      await answer.waitFor({ timeout: PATIENCE_MS });
      expect(await answer.innerText()).toMatch(/\w+/);
    });

    it('can be used with the keyboard alone', async () => {
      const { page } = await open();
      await moves(page.locator('.overlay'));
      await page.keyboard.press('Tab');
      expect(await focused(page)).toBe('Skip to the video');
      const tab = page.getByRole('tab', { name: 'Why' });
      await tab.focus();
      await page.keyboard.press('ArrowRight');
      expect(await page.getByRole('tab', { selected: true }).innerText()).toBe('Scores');
      const slider = page.getByRole('slider', { name: 'Moment shown' });
      await slider.focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await page.locator('.chip.back-live').waitFor();
      const frozen = await page.locator('.overlay').getAttribute('data-mediatime');
      await page.keyboard.press('End');
      await vi.waitFor(
        async () => expect(await page.locator('.overlay').getAttribute('data-mediatime')).not.toBe(frozen),
        PATIENCE_MS,
      );
      await page.locator('.events li button').first().waitFor({ timeout: PATIENCE_MS });
      await page.keyboard.press('[');
      await page.locator('.events li button[aria-pressed="true"]').waitFor();
    });

    it.each(['light', 'dark'] as const)('has names and contrast for everybody in %s', async (colorScheme) => {
      const { page } = await open({ colorScheme, reducedMotion: 'reduce' });
      await page.locator('.card').first().waitFor({ timeout: PATIENCE_MS });
      const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      await page.evaluate(axe);
      for (const name of ['Why', 'Scores', 'Memory', 'Zones', 'Ask', 'Health']) {
        await page.getByRole('tab', { name, exact: true }).click();
        expect({ name, violations: await page.evaluate<readonly string[]>(RUN_AXE) }).toEqual({
          name,
          violations: [],
        });
      }
    });

    it('fits a phone without scrolling sideways, whatever is shown', async () => {
      const { page } = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
      await moves(page.locator('.overlay'));
      for (const name of ['Why', 'Scores', 'Memory', 'Zones', 'Ask', 'Health']) {
        await page.getByRole('tab', { name, exact: true }).click();
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
      }
    });

    it('saves a zone that was drawn on the picture', async () => {
      const { page } = await open();
      await moves(page.locator('.overlay'));
      await page.getByRole('tab', { name: 'Zones' }).click();
      await page.getByRole('button', { name: 'Zone', exact: true }).click();
      const box = await page.locator('svg.places').boundingBox();
      if (!box) throw new Error('there is nothing to draw on');
      for (const [x, y] of [
        [0.2, 0.2],
        [0.6, 0.2],
        [0.6, 0.7],
      ] as const)
        await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
      await page.getByLabel('Name of zone 1').fill('door');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved. From now on they count.').waitFor();
      const kept = (await (await fetch(`${service.url}/v1/streams/cam1/places`)).json()) as {
        zones: Record<string, number[][]>;
      };
      const [first, , third] = kept.zones['door'] ?? [];
      expect(first?.[0]).toBeCloseTo(0.2, 2);
      expect(third?.[1]).toBeCloseTo(0.7, 2);
    });

    it('shows a camera that is shared from the page, and what is expected in it', async () => {
      const { page, log } = await open({ permissions: ['camera'] });
      await page.getByRole('button', { name: 'Share my camera' }).first().click();
      await page.getByRole('textbox', { name: 'Name' }).fill('desk');
      await page.getByRole('button', { name: 'Share', exact: true }).click();
      await page.getByRole('img', { name: 'Video of desk' }).waitFor({ timeout: PATIENCE_MS });
      await moves(page.locator('.overlay'));
      const card = page.locator('.card').first();
      await card.waitFor({ timeout: PATIENCE_MS });
      await page.screenshot({ path: 'out/dashboard-own-camera.png' });
      await page.getByRole('button', { name: 'Share my camera' }).first().click();
      await page.getByRole('button', { name: 'Stop sharing' }).click();
      expect(log.problems).toEqual([]);
      await fetch(`${service.url}/v1/streams/desk`, { method: 'DELETE' });
    });

    it('says that the service is away, and goes on by itself when it is back', async () => {
      const { page } = await open();
      await moves(page.locator('.overlay'));
      await page.evaluate('window.notLoadedAgain = true');
      await service.stop();
      await page.getByText('Presage is offline.').first().waitFor({ timeout: PATIENCE_MS });
      const last = Number(await page.locator('.overlay').getAttribute('data-mediatime'));
      await service.start();
      await page
        .getByText('Presage is offline.')
        .first()
        .waitFor({ state: 'detached', timeout: PATIENCE_MS });
      await vi.waitFor(
        async () =>
          expect(Number(await page.locator('.overlay').getAttribute('data-mediatime'))).toBeGreaterThan(last),
        PATIENCE_MS,
      );
      expect(await page.evaluate('window.notLoadedAgain')).toBe(true);
    });

    it('asks for the token where there is one, and keeps it out of its address', async () => {
      await using own = await temporaryFolder();
      await using guarded = await RunningService.start({
        args: [RECORDING, '--loop'],
        port: await freePort(),
        cwd: own.path,
        env: { PRESAGE_TOKEN: TOKEN },
      });
      const { page } = await open({}, guarded.url);
      await page.getByRole('textbox', { name: 'Token' }).fill('wrong');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('The service does not know this token.').waitFor();
      await page.getByRole('textbox', { name: 'Token' }).fill(TOKEN);
      await page.getByRole('button', { name: 'Open' }).click();
      await moves(page.locator('.overlay'));
      expect(page.url()).toBe(`${guarded.url}/`);
    });
  },
);

async function open(
  options: BrowserContextOptions = {},
  url = service.url,
): Promise<{ page: Page; log: PageLog }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const log = new PageLog(page);
  await page.goto(url);
  return { page, log };
}

/** Resolves when a picture was shown and then another one. */
async function moves(overlay: Locator): Promise<void> {
  await overlay.and(overlay.page().locator('[data-mediatime]')).waitFor({ timeout: PATIENCE_MS });
  const first = await overlay.getAttribute('data-mediatime');
  await vi.waitFor(
    async () => expect(await overlay.getAttribute('data-mediatime')).not.toBe(first),
    PATIENCE_MS,
  );
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.textContent.trim()');
}

interface StageReading {
  readonly picture: string;
  readonly overlay: string;
  readonly painted: number;
  readonly colours: number;
}

/** Media times of picture and overlay as one reading, px that are drawn over, and how many colours the picture has. */
const READ_STAGE = `(() => {
  const [picture, overlay] = [document.querySelector('.picture'), document.querySelector('.overlay')];
  const pixels = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const drawn = pixels(overlay);
  let painted = 0;
  for (let i = 3; i < drawn.length; i += 4) if (drawn[i] > 0) painted += 1;
  const colours = new Set();
  const shown = pixels(picture);
  for (let i = 0; i < shown.length; i += 40) colours.add(shown[i] << 16 | shown[i + 1] << 8 | shown[i + 2]);
  return { picture: picture.dataset.mediatime, overlay: overlay.dataset.mediatime, painted, colours: colours.size };
})()`;

const SAMPLE_PICTURE = `(() => {
  const canvas = document.querySelector('.picture');
  const ctx = canvas.getContext('2d');
  const at = (x, y) => ctx.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 8, 8).data.join();
  return [at(0.25, 0.35), at(0.5, 0.5), at(0.35, 0.6), at(0.75, 0.4)].join(';');
})()`;

const RUN_AXE = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 2).map(({ html }) => html.slice(0, 140)).join(' | ')))`;
