import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InspectionQueue } from '../../../src/service/recent-video/inspection-queue.js';
import { PictureThread } from '../../../src/service/recent-video/picture-thread.js';
import { RecentVideo } from '../../../src/service/recent-video/recent-video.js';
import { RecentVideoInspector } from '../../../src/service/recent-video/video-inspector.js';
import { iou } from '../../../src/core/maths/box.js';
import { maskArea } from '../../../src/core/image/mask.js';
import { RecordQueries } from '../../../src/core/records/query.js';
import { openSource } from '../../../src/ingest/open-source.js';
import { findFfmpeg } from '../../../src/ingest/ffmpeg-binary.js';
import { parseSource } from '../../../src/ingest/source-spec.js';
import { openPerception, type DetectorPerception } from '../../../src/model/perception/perception.js';
import { ToolBox } from '../../../src/ask/tools/tool-box.js';
import { startService } from '../../support/transport/service.js';

const RECORDING = 'examples/pedestrians.mp4';
/** The recording is taken in up to here; the ring keeps less of it. */
const UNTIL_S = 6;
const KEPT_S = 4;
const NOTHING = new RecordQueries({
  ...{ objects: [], events: [], relations: [], episodes: [] },
  places: { zones: {}, lines: {} },
});

let perception: DetectorPerception;
let thread: PictureThread;
let video: RecentVideo;
let looker: RecentVideoInspector;

beforeAll(async () => {
  perception = await openPerception({ device: 'cpu', workers: 1 });
  thread = await PictureThread.open();
  video = new RecentVideo({ thread, seconds: KEPT_S });
  const ffmpeg = await findFfmpeg({});
  await using source = openSource(parseSource(RECORDING), { ffmpeg, mode: 'lossless' });
  await new Promise<void>((resolve, reject) => {
    let last = Promise.resolve();
    const taken = source.frame$.subscribe({
      next: (frame) => {
        last = last.then(async () => {
          video.addFrame(frame);
          frame[Symbol.dispose]();
          await video.settle();
          if (frame.t < UNTIL_S) return;
          taken.unsubscribe();
          resolve();
        });
      },
      error: reject,
    });
  });
  looker = new RecentVideoInspector({ video, thread, stills: perception, queue: new InspectionQueue() });
});
afterAll(async () => {
  await thread.close();
  await perception.close();
});

describe('looking again at a real recording', () => {
  it('finds the people of a moment with their masks, the same each time', { timeout: 60_000 }, async () => {
    const [look] = await looker.inspect({ from: 5, to: 5 });
    expect(Math.abs(look!.t - 5)).toBeLessThanOrEqual(0.1);
    const people = look!.found.filter(({ label, score }) => label === 'person' && score > 0.6);
    expect(people.length).toBeGreaterThanOrEqual(3);
    for (const { mask, box } of people) {
      expect(mask?.size).toEqual([576, 768]);
      // A person fills a good part of the box, and no mask reaches far beyond it.
      const share = maskArea(mask!) / (box[2] * 768 * box[3] * 576);
      expect(share).toBeGreaterThan(0.2);
      expect(share).toBeLessThan(1.1);
    }
    expect(await looker.inspect({ from: 5, to: 5 })).toEqual([look]);
  });

  it(
    'tells only what lies in the region, and its masks are of the whole frame',
    { timeout: 60_000 },
    async () => {
      const [whole] = await looker.inspect({ from: 5, to: 5 });
      const [person] = whole!.found.filter(({ label }) => label === 'person');
      const [x, y, w, h] = person!.box;
      const region = [Math.max(x - 0.02, 0), Math.max(y - 0.02, 0), w + 0.03, h + 0.03] as const;
      const [close] = await looker.inspect({ from: 5, to: 5, region });
      const again = close!.found.find(({ label, box }) => label === 'person' && iou(box, person!.box) > 0.6);
      expect(again?.mask?.size).toEqual([576, 768]);
      for (const { box } of close!.found) {
        expect(box[0] + box[2] / 2).toBeGreaterThanOrEqual(close!.region[0]);
        expect(box[0] + box[2] / 2).toBeLessThanOrEqual(close!.region[0] + close!.region[2]);
      }
    },
  );

  it('looks at a span in order of time', { timeout: 60_000 }, async () => {
    const looks = await looker.inspect({ from: 4, to: 5.5, region: [0.5, 0.2, 0.4, 0.5] });
    expect(looks.length).toBeGreaterThan(1);
    expect(looks.map(({ t }) => t)).toEqual(looks.map(({ t }) => t).sort((a, b) => a - b));
  });

  it.each([
    ['is gone', { t: 0.5 }, 'is not kept any more: kept is 2'],
    ['has not come', { t: 99 }, 'has not been seen yet'],
    ['was before it', { from: 0, to: 1 }, 'is not kept any more'],
  ])('says so when the video of a moment %s', async (_, args, why) => {
    const result = await new ToolBox({ queries: NOTHING, now: UNTIL_S, video: looker }).call(
      'look_again',
      args,
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'not_kept' } });
    expect(JSON.stringify(result)).toContain(why);
  });
});

describe('POST /v1/streams/{id}/inspect', () => {
  async function serve() {
    const box = new ToolBox({ queries: NOTHING, now: UNTIL_S, video: looker });
    return startService({ server: { inspect: (_, request, signal) => box.inspect(request, signal) } });
  }
  const post = (http: string, body: unknown, path = 'cam1'): Promise<Response> =>
    fetch(`${http}/v1/streams/${path}/inspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('answers with what it sees, and with what is wrong', { timeout: 60_000 }, async () => {
    const { http } = await serve();
    const good = await post(http, { t: 5, region: [0.5, 0.3, 0.4, 0.4] });
    expect(good.status).toBe(200);
    const { data } = (await good.json()) as { data: { inspections: { found: unknown[] }[] } };
    expect(data.inspections[0]!.found.length).toBeGreaterThan(0);
    const statuses = await Promise.all([
      post(http, { t: 0.1 }),
      post(http, { t: 5 }, 'nope'),
      post(http, {}),
      post(http, { t: 5, from: 1 }),
      post(http, { from: 5, to: 4 }),
      post(http, { from: 0, to: 3600 }),
      post(http, { t: -1 }),
      post(http, { t: 5, region: [0.9, 0.9, 0.5, 0.5] }),
      post(http, { t: 5, region: [0, 0, 0, 0] }),
      post(http, { t: 5, region: 'door' }),
      post(http, { t: 5, regoin: [0, 0, 1, 1] }),
      post(http, null),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([410, 404, ...Array<number>(10).fill(400)]);
    expect(await statuses[7].json()).toMatchObject({
      error: {
        code: 'bad_request',
        message: expect.stringContaining('region: reaches beyond the frame') as string,
      },
    });
  });

  it('does a few of a hundred at once and tells the others to come again', { timeout: 60_000 }, async () => {
    const { http } = await serve();
    const all = await Promise.all(
      Array.from({ length: 100 }, () => post(http, { t: 5, region: [0.6, 0.3, 0.2, 0.3] })),
    );
    const done = all.filter(({ status }) => status === 200);
    const refused = all.filter(({ status }) => status === 429);
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(done.length).toBeLessThanOrEqual(12);
    expect(done.length + refused.length).toBe(100);
    for (const reply of refused) expect(reply.headers.get('retry-after')).toBe('1');
    // And it goes on afterwards.
    expect(perception.stats()).toMatchObject({ inFlight: 0, waiting: 0, lanes: 0 });
  });

  it('is answered only to whoever shows the token', async () => {
    const server = { look: () => Promise.resolve([]), token: 'a-long-enough-token' };
    const { http } = await startService({ server });
    expect((await post(http, { t: 5 })).status).toBe(401);
  });
});
