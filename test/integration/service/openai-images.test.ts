/** Explanations of a language-model server that reads images, by the pictures that reach it. */
import { loadImage, createCanvas } from '@napi-rs/canvas';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { colorOf } from '../../../src/core/image/object-colors.js';
import type { Message, ObservedEvent } from '../../../src/core/messages.js';
import { runCli } from '../../support/cli.js';
import { sayContent, startFakeServer } from '../../support/language/llm.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const RECORDING = fileURLToPath(new URL('../../../examples/pedestrians.mp4', import.meta.url));

interface Part {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
}

interface Request {
  /** Id of the event that the request is about. */
  readonly event: string;
  readonly images: readonly Buffer[];
}

function requestOf(body: Record<string, unknown>): Request {
  const [, user] = body['messages'] as readonly { content: string | readonly Part[] }[];
  const parts = typeof user!.content === 'string' ? [{ type: 'text', text: user!.content }] : user!.content;
  const [, event = ''] = /Explain (e\d+) /.exec(parts.map(({ text = '' }) => text).join('')) ?? [];
  const urls = parts.flatMap(({ image_url: image }) => image?.url ?? []);
  return {
    event,
    images: urls.map((url) => Buffer.from(url.replace(/^data:image\/jpeg;base64,/, ''), 'base64')),
  };
}

async function analyze(
  ...flags: readonly string[]
): Promise<{ requests: Request[]; events: ObservedEvent[] }> {
  const requests: Request[] = [];
  await using server = await startFakeServer(({ body }, response) => {
    requests.push(requestOf(body));
    sayContent(response, 'no JSON: the rules explain instead');
  });
  const cwd = tempFolder();
  const out = join(cwd, 'out.jsonl');
  const model = ['--openai-url', server.baseUrl, '--openai-model', 'm', '--no-openai-tools'];
  const run = await runCli(['analyze', RECORDING, '--out', out, '--labels', 'person', ...model, ...flags], {
    cwd,
  });
  expect(run).toMatchObject({ code: 0 });
  const messages = readFileSync(out, 'utf8').trim().split('\n');
  const events = messages
    .map((line) => JSON.parse(line) as Message)
    .flatMap((one) => (one.type === 'presage.event.observed.v1' ? [one.data.event] : []));
  return { requests, events };
}

/** Share of the pixels along the edges of a box that have a colour, with the losses of JPEG. */
async function edgeShare(jpeg: Buffer, box: readonly number[], color: string): Promise<number> {
  const image = await loadImage(jpeg);
  const { width, height } = image;
  const canvas = createCanvas(width, height);
  const ctx = canvas.getContext('2d');
  ctx.drawImage(image, 0, 0);
  const [x, y, w, h] = [box[0]! * width, box[1]! * height, box[2]! * width, box[3]! * height];
  const target = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  let [hits, total] = [0, 0];
  for (let step = 0.1; step < 0.95; step += 0.05)
    for (const [px, py] of [
      [x, y + h * step],
      [x + w, y + h * step],
      [x + w * step, y + h],
    ] as const) {
      if (px < 2 || px > width - 3 || py > height - 3) continue;
      const { data } = ctx.getImageData(Math.round(px) - 1, Math.round(py) - 1, 2, 2);
      total += 1;
      const near = [0, 4, 8, 12].some((at) =>
        target.every((value, channel) => Math.abs(value - data[at + channel]!) < 55),
      );
      if (near) hits += 1;
    }
  return total === 0 ? 1 : hits / total;
}

it(
  'sends keyframes of an event and, last, its frame with the boxes of the participants',
  { timeout: 180_000 },
  async () => {
    const { requests, events } = await analyze('--openai-images');
    const withImages = requests.filter(({ images }) => images.length > 0);
    expect(withImages.length).toBeGreaterThan(5);
    expect(Math.max(...withImages.map(({ images }) => images.length))).toBe(3);
    const shares: { drawn: number; plain: number }[] = [];
    for (const { event: id, images } of withImages.slice(0, 10)) {
      const event = events.find((one) => one.id === id) ?? expect.fail(`no event ${id}`);
      for (const jpeg of images) {
        const { width, height } = await loadImage(jpeg);
        expect([width, height]).toEqual([768, 576]);
      }
      for (const { id: object, box } of event.participants) {
        const drawn = await edgeShare(images.at(-1)!, box, colorOf(object));
        const plain = images.length > 1 ? await edgeShare(images[0]!, box, colorOf(object)) : 0;
        shares.push({ drawn, plain });
      }
    }
    const mean = (key: 'drawn' | 'plain'): number =>
      shares.reduce((sum, one) => sum + one[key], 0) / shares.length;
    expect(mean('drawn')).toBeGreaterThan(0.65);
    expect(mean('drawn') - mean('plain')).toBeGreaterThan(0.35);
  },
);

it('sends no picture where images are off', { timeout: 180_000 }, async () => {
  const { requests } = await analyze();
  expect(requests.length).toBeGreaterThan(5);
  expect(requests.flatMap(({ images }) => images)).toEqual([]);
});
