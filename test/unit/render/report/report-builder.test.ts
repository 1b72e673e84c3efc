import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { axisTicks } from '../../../../src/render/report/page-timeline.js';
import { ReportBuilder, type ReportBuilderOptions } from '../../../../src/render/report/report-builder.js';
import { addFrame, openRecentVideo } from '../../../support/video/pictures.js';
import { plainFrame } from '../video/frames.js';
import {
  anEvent,
  anExplanation,
  anObject,
  aPrediction,
  created,
  objectsAt,
  resolved,
  story,
} from '../../cli/terminal/story.js';

async function build(options: Partial<ReportBuilderOptions> = {}): Promise<ReportBuilder> {
  const { video } = await openRecentVideo();
  const builder = new ReportBuilder({
    source: 'gate.mp4',
    duration: 65,
    model: 'detector',
    settings: { fps: 10 },
    video,
    ...options,
  });
  let k = 0;
  for (const draft of story()) {
    for (; k / 10 <= draft.mediatime; k += 1) {
      await addFrame(video, plainFrame(96, 72, k / 10));
    }
    builder.add(draft);
    await builder.settle();
  }
  return builder;
}
const count = (text: string, part: RegExp): number => text.match(part)?.length ?? 0;

describe('ReportBuilder', () => {
  it('tells every event and prediction with its picture, reason and outcome', async () => {
    const page = (await build()).html().replace(/[ \n]+/g, ' ');
    expect(count(page, /id="event-\d+"/g)).toBe(6);
    expect(count(page, /id="prediction-\d+"/g)).toBe(3);
    expect(page).toContain('person #4 met person #7');
    expect(page).toContain('person #4 kept walking towards it for 2.1 s');
    expect(page).toContain('Without person #4 they would not have met.');
    expect(page).toContain('Not all of this could be verified: order.');
    expect(page).toContain('data-outcome="hit"');
    expect(page).toContain('data-outcome="miss"');
    expect(page).toContain('data-outcome="void"');
    expect(count(page, /<img\s+src="data:image\/jpeg;base64,[A-Za-z0-9+/=]+"/g)).toBe(9);
    expect(page).toContain('Reliability diagram: predicted 5\u00a0%, happened 3\u00a0%, 20 forecasts');
    expect(page).toContain('Boldest calls that came true');
  });

  it('is one page that asks for nothing, and whose policy would not let it', async () => {
    const page = (await build()).html();
    expect(page.startsWith('<!doctype html>')).toBe(true);
    const words = page.replace(/base64,[A-Za-z0-9+/=]+/g, '');
    expect(words).not.toMatch(/https?:|\/\/[a-z]|@import|url\(|<link|<iframe|<base| on[a-z]+="| style="/i);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/
      .exec(page)![1]!
      .replaceAll('&#39;', "'");
    expect(policy).toContain("default-src 'none'; img-src data:;");
    for (const element of ['style', 'script']) {
      const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(page)![1]!;
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policy).toContain(`${element}-src 'sha256-${hash}'`);
      expect(count(page, new RegExp(`<${element}[ >]`, 'g'))).toBe(1);
    }
  });

  it('runs a script that is valid', async () => {
    const { SCRIPT } = await import('../../../../src/render/report/page-script.js');
    expect(() => new Script(SCRIPT)).not.toThrow();
  });

  it('gives the same bytes for the same input', async () => {
    expect((await build()).html()).toBe((await build()).html());
  });

  it('escapes whatever comes from outside', () => {
    const evil = '</script><script>alert(1)</script>"\'&';
    const builder = new ReportBuilder({ source: evil, model: evil, settings: { [evil]: evil } });
    const person = anObject(evil, { label: evil });
    builder.add(objectsAt(0, [person]));
    builder.add(anEvent(evil, 1, { participants: [person], type: 'zone_enter', zone: evil }));
    builder.add(
      anExplanation(evil, 1, {
        text: evil,
        causes: [{ object: evil, probability: 1, counterfactual: evil }],
        verified: { ok: false, problems: [evil] },
        by: { backend: evil, model: evil },
      }),
    );
    const prediction = aPrediction(evil, 1, {
      event: { type: 'zone_enter', participants: [evil], zone: evil },
      justification: { text: evil, events: [], objects: [] },
      by: { backend: evil, model: evil },
    });
    builder.add(created(prediction));
    builder.add(resolved(prediction, 'miss', 4));
    builder.add({
      kind: 'summary.created',
      mediatime: 5,
      data: { from: 0, to: 5, text: evil, events: [], objects: [] },
    });
    const page = builder.html();
    expect(count(page, /<script/g)).toBe(1);
    expect(count(page, /alert\(1\)/g)).toBe(count(page, /&lt;script&gt;alert\(1\)/g));
    expect(count(page, /&lt;script&gt;alert\(1\)/g)).toBeGreaterThan(15);
  });

  it('says what it left out', async () => {
    const builder = await build({ thumbnails: { count: 2, bytes: 1e6 } });
    for (let i = 0; i < 3100; i += 1) builder.add(anEvent(`n${i}`, 60));
    const page = builder.html();
    expect(count(page, /<img\s/g)).toBe(2);
    expect(page).toContain('were left out to keep this page small');
    expect(page).toContain('106 later events are left out of this page');
  });

  it('stands without any message at all', () => {
    const page = new ReportBuilder({ source: 'empty.mp4' }).html();
    expect(page).toContain('No events were observed.');
    expect(page).toContain('No predictions were made.');
    expect(page).toContain('No forecast could be checked.');
  });

  it('writes the file whole, or leaves nothing and says what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'presage-report-'));
    try {
      const builder = await build();
      await builder.write(join(folder, 'report.html'));
      expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(builder.html());
      await expect(builder.write(join(folder, 'missing', 'report.html'))).rejects.toMatchObject({
        code: 'output_failed',
        hint: `mkdir -p ${join(folder, 'missing')}`,
      });
      await expect(builder.write(folder)).rejects.toMatchObject({ code: 'output_failed' });
      expect(await readdir(folder)).toEqual(['report.html']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('axisTicks', () => {
  it('are round and few', () => {
    expect(axisTicks(12)).toEqual([0, 2, 4, 6, 8, 10, 12]);
    expect(axisTicks(1)).toEqual([0, 0.5, 1]);
    for (const duration of [1, 7, 59, 601, 7201, 86_400, 1e6])
      expect(axisTicks(duration).length).toBeLessThan(10);
  });
});
