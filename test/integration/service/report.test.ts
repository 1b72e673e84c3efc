import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { colorOf } from '../../../src/core/image/object-colors.js';
import { ReportBuilder } from '../../../src/render/report/report-builder.js';
import { addFrame, openRecentVideo } from '../../support/video/pictures.js';
import { plainFrame } from '../../unit/render/video/frames.js';
import { anEvent, aPrediction, created, objectsAt, anObject, story } from '../../unit/cli/terminal/story.js';

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'presage-report-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('ReportBuilder', () => {
  it('shows the frame of an event that is told late, with its participants marked', async () => {
    const { video } = await openRecentVideo();
    const builder = new ReportBuilder({ source: 'gate.mp4', video });
    // The picture turns from dark to bright; the event was at 1.0 s, half way, and is told at 1.8 s.
    for (let k = 0; k <= 18; k += 1) {
      await addFrame(video, plainFrame(768, 576, k / 10, [20 + k * 10, 128, 128]));
    }
    builder.add(
      anEvent('e1', 1, {
        type: 'enter',
        participants: [{ id: 'o4', label: 'person', box: [0.4, 0.3, 0.2, 0.4] }],
      }),
    );
    await builder.settle();
    const data = /data:image\/jpeg;base64,([A-Za-z0-9+/=]+)/.exec(builder.html())![1]!;
    const image = await loadImage(Buffer.from(data, 'base64'));
    const ctx = createCanvas(image.width, image.height).getContext('2d');
    ctx.drawImage(image, 0, 0);
    const at = (x: number, y: number): number[] => [...ctx.getImageData(x, y, 1, 1).data.subarray(0, 3)];
    const luma = Math.round(1.164 * (20 + 100 - 16));
    for (const value of at(5, 100)) expect(Math.abs(value - luma)).toBeLessThan(6);
    // The box is centred; its left edge lies where the crop puts it: 0.4 × 576 px of height × 1.5 fill the picture.
    const scale = image.height / (0.4 * 576 * 1.5);
    const edge = Math.round(image.width / 2 - 0.1 * 768 * scale);
    const wanted = Number.parseInt(colorOf('o4').slice(1), 16);
    const near = Math.min(
      ...[-1, 0, 1].map((dx) =>
        Math.max(...at(edge + dx, 90).map((value, i) => Math.abs(value - ((wanted >> (16 - 8 * i)) & 255)))),
      ),
    );
    expect(near).toBeLessThan(60);
  });

  it('stays within its bounds over a long recording', async () => {
    const { video } = await openRecentVideo();
    const builder = new ReportBuilder({ source: 'long.mp4', video });
    for (let k = 0; k < 400; k += 1) {
      await addFrame(video, plainFrame(320, 240, k, [(k * 37) % 220, 100, 150]));
      builder.add(objectsAt(k, [anObject('o3'), anObject('o4')]));
      builder.add(anEvent(`e${k}`, k));
      builder.add(created(aPrediction(`p${k}`, k)));
      await builder.settle();
    }
    await builder.write(join(folder, 'report.html'));
    expect((await stat(join(folder, 'report.html'))).size).toBeLessThan(16 * 1024 * 1024);
    const page = await readFile(join(folder, 'report.html'), 'utf8');
    expect(page.match(/<img\s/g)?.length).toBe(200);
    expect(page.replace(/\s+/g, ' ')).toContain('200 pictures; 600 more were left out');
  });

  it.runIf(browser !== undefined)('works in a browser under its own policy (needs chromium)', async () => {
    const builder = new ReportBuilder({ source: 'gate.mp4' });
    for (const draft of story()) builder.add(draft);
    const file = join(folder, 'report.html');
    await builder.write(file);
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    const profile = [
      `--user-data-dir=${join(folder, 'profile')}`,
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ];
    const dom = execFileSync(
      browser!,
      [...options, ...profile, '--dump-dom', `${pathToFileURL(file).href}#event-5`],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    expect(dom).toContain('<output>6 shown</output>');
    expect(dom).toContain('<output>3 shown</output>');
    expect(dom).not.toMatch(/class="theme" hidden/);
  });
});
