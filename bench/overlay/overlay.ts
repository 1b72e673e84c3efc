import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { build } from 'vite';
import type { Bench } from '../support/bench.js';
import { positive } from '../support/bench.js';
import { CELL, CODED, MOVER, moverLeft, writeCodedVideo } from './coded-video.js';
import { ServingProcess } from '../support/presage-process.js';
import { table } from '../support/results.js';
import { quantile } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const CHROMIUM = process.env['PRESAGE_CHROMIUM'] ?? '/usr/bin/chromium';
const FFMPEG = 'ffmpeg';

interface Sample {
  /** Number of the picture, read from its pixels. */
  readonly index: number;
  /** Media time that the overlay was drawn for, s. */
  readonly mediatime: number;
  /** From the nearest moment that was told, s. */
  readonly apart: number;
  /** Middle of the box that is drawn, fraction of the width; null without one. */
  readonly middle: number | null;
}

/** How far what is drawn over the picture is from the picture, and whether a crowd is drawn fast enough. */
export const overlay: Bench = {
  options: { seconds: '12', objects: '50' },
  run: async (options) => {
    const seconds = positive(options, 'seconds');
    const objects = positive(options, 'objects');
    await using folder = await TemporaryFolder.make();
    await writeCodedVideo(FFMPEG, folder.file('coded.mp4'));
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    try {
      const rows: string[][] = [];
      for (const feed of ['whep', 'mjpeg'] as const)
        rows.push(await measureFeed(browser, folder, feed, seconds));
      const version = execFileSync(CHROMIUM, ['--version'], { encoding: 'utf8' }).trim();
      return [
        `The dashboard in ${version} (no GPU) on a video whose pictures tell their own number, ${CODED.width}×${CODED.height},`,
        `${CODED.fps} fps; something moves in it at ${MOVER.speed} px/s. Error of time: media time that the overlay was drawn for`,
        'against the number in the picture that is shown in the same frame of the display. Error of place: middle of the drawn box',
        "against the middle of the thing, as the time in which it goes that far; the tracker's own lag is in it.",
        '',
        table(
          [
            ...['video', 'pictures', 'error of time p50 / p95 / max ms', 'error of place p50 / p95 ms'],
            'pictures without a box',
          ],
          rows,
        ),
        '',
        await measurePainting(browser, objects),
      ].join('\n');
    } finally {
      await browser.close();
    }
  },
};

async function measureFeed(
  browser: Browser,
  folder: TemporaryFolder,
  feed: 'whep' | 'mjpeg',
  seconds: number,
): Promise<string[]> {
  const data = ['--data', folder.file(`data-${feed}`)];
  await using service = await ServingProcess.start('watch', [folder.file('coded.mp4'), '--loop', ...data]);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  if (feed === 'mjpeg') await page.addInitScript('delete window.RTCPeerConnection');
  await page.goto(`${service.url}/`);
  await page.locator(`.stage[data-feed="${feed}"] .overlay[data-mediatime]`).waitFor({ timeout: 60_000 });
  await showBoxesOnly(page);
  const samples = await page.evaluate<readonly Sample[]>(
    `(${SAMPLE})(${seconds * 1000}, ${CELL.bits}, ${CELL.size})`,
  );
  const shown = await page.locator('.stage').getAttribute('data-feed');
  await page.close();
  if (shown !== feed || samples.length === 0)
    throw new Error(`${feed} gave ${samples.length} pictures (${shown ?? ''})`);
  const time = samples.map(({ index, mediatime }) => Math.abs(awayFrom(mediatime, index)) * 1000);
  const place = samples.flatMap(({ index, middle }) => {
    if (middle === null) return [];
    const truth = moverLeft(index / CODED.fps) + MOVER.size / 2;
    return [(Math.abs(middle * CODED.width - truth) / MOVER.speed) * 1000];
  });
  const of = (values: readonly number[], part: number): string => quantile(values, part).toFixed(1);
  return [
    feed,
    `${samples.length}`,
    `${of(time, 0.5)} / ${of(time, 0.95)} / ${of(time, 1)}`,
    `${of(place, 0.5)} / ${of(place, 0.95)}`,
    `${samples.length - place.length}`,
  ];
}

/** The video runs in a loop: its pictures have the same numbers in each round. s */
function awayFrom(mediatime: number, index: number): number {
  const away = (mediatime - index / CODED.fps) % CODED.seconds;
  return away > CODED.seconds / 2 ? away - CODED.seconds : away;
}

async function showBoxesOnly(page: Page): Promise<void> {
  await page.getByLabel('What is drawn over the picture').click();
  for (const name of ['Names', 'Outlines', 'Trails', 'Paths ahead'])
    await page.getByLabel(name, { exact: true }).uncheck();
}

/** In the page: reads each picture that is shown, and what is drawn over it, in one go. */
const SAMPLE = `async (ms, bits, cell) => {
  const [picture, overlay] = [document.querySelector('.picture'), document.querySelector('.overlay')];
  const samples = [];
  let last;
  for (const end = performance.now() + ms; performance.now() < end; ) {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    if (overlay.dataset.mediatime === last) continue;
    last = overlay.dataset.mediatime;
    const { width, height } = picture;
    const scale = height / ${CODED.height};
    const row = picture.getContext('2d').getImageData(0, Math.round((${CODED.height} - cell / 2) * scale), width, 1).data;
    let index = 0;
    for (let bit = 0; bit < bits; bit += 1)
      if (row[4 * Math.round((bit + 0.5) * cell * scale)] > 128) index |= 1 << bit;
    const drawn = overlay.getContext('2d').getImageData(0, 0, overlay.width, overlay.height).data;
    let [from, to] = [Infinity, -Infinity];
    for (let i = 3, x = 0; i < drawn.length; i += 4, x = x + 1 === overlay.width ? 0 : x + 1)
      if (drawn[i] > 100) { if (x < from) from = x; if (x > to) to = x; }
    const middle = to > from && to - from < overlay.width / 3 ? (from + to) / 2 / overlay.width : null;
    samples.push({ index, mediatime: Number(last), apart: Number(overlay.dataset.apart), middle });
  }
  return samples;
}`;

/** The painter alone, with everything that can be drawn, on a canvas of 1280 × 720. */
async function measurePainting(browser: Browser, objects: number): Promise<string> {
  const built = await build({
    logLevel: 'error',
    configFile: false,
    build: {
      write: false,
      target: 'es2022',
      lib: {
        entry: fileURLToPath(new URL('../../demo/bench/paint-crowd.ts', import.meta.url)),
        formats: ['iife'],
        name: 'paintPage',
      },
    },
  });
  const output = Array.isArray(built) ? (built[0] ?? { output: [] }) : built;
  const chunk = 'output' in output ? output.output[0] : undefined;
  if (!chunk) throw new Error('the page of the bench was not built');
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.setContent('<canvas width="1280" height="720"></canvas>');
  await page.addScriptTag({ content: chunk.code });
  const { paintMs, stepMs } = await page.evaluate<{ paintMs: number[]; stepMs: number[] }>(
    `paintCrowd(document.querySelector('canvas'), ${objects}, 400)`,
  );
  await page.close();
  const of = (values: readonly number[], part: number): string => quantile(values, part).toFixed(1);
  const fps = (1000 * stepMs.length) / stepMs.reduce((sum, ms) => sum + ms, 0);
  return [
    `${objects} objects with outlines, boxes, names, trails and paths ahead, drawn by the dashboard's painter on 1280×720:`,
    `${fps.toFixed(0)} pictures a second; drawing ${of(paintMs, 0.5)} ms (p95 ${of(paintMs, 0.95)}, max ${of(paintMs, 1)}), from picture to`,
    `picture ${of(stepMs, 0.5)} ms (p95 ${of(stepMs, 0.95)}).`,
  ].join('\n');
}
