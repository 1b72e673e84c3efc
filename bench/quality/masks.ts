import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sampleVideo } from '../../src/service/version.js';
import type { Box } from '../../src/core/maths/box.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { openSource } from '../../src/ingest/open-source.js';
import { parseSource } from '../../src/ingest/source-spec.js';
import { Detector } from '../../src/model/detector/detector.js';
import { findEnrichmentModels } from '../../src/model/perception/enrichment-models.js';
import { bundledModelsDir, findModel, loadManifest, verifyModel } from '../../src/model/runtime/manifest.js';
import { ObjectHead } from '../../src/model/segment/object-head.js';
import { segmentPrompts } from '../../src/model/segment/sam/sam-masks.js';
import { SamModel } from '../../src/model/segment/sam/sam-model.js';
import { rgbOf } from '../../src/model/segment/sam/sam-picture.js';
import { positive, type Bench } from '../support/bench.js';
import { table } from '../support/results.js';
import { quantile } from '../support/statistics.js';

/** Boxes per frame that are tried: none of ours scales with more than the cap of 64. */
const BOXES = [1, 4, 16, 64];
/** Runs before the clock counts. */
const WARM_UP = 2;

/** What masks and embeddings cost on one thread beside what a SAM-sized model would. */
export const masks: Bench = {
  options: { runs: '20', video: sampleVideo, sam: '', 'sam-runs': '3' },
  async run(options) {
    const runs = positive(options, 'runs');
    const view = await firstFrame(options['video'] ?? sampleVideo);
    const rows = [...(await ownCosts(view, runs)), ...(await samCosts(view, options))];
    return [
      `One thread, CPU, ${view.width} × ${view.height}. Ours adds to the detector, whose feature maps it works on; the head's`,
      'time includes the grid of the clip embedding, laying the masks over the frame and encoding them. A SAM-family model encodes',
      'the picture by itself, whatever the number of boxes, and then decodes each; what it costs does not depend on its',
      'weights, so an export with random ones shows it (`training/export/sam.py`).',
      '',
      table(['ms', 'p50', 'p90', 'per box'], rows),
    ].join('\n');
  },
};

interface View {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

async function firstFrame(video: string): Promise<View> {
  await using source = openSource(parseSource(video), { ffmpeg: await findFfmpeg({}), mode: 'lossless' });
  return await new Promise<View>((resolve, reject) => {
    const subscription = source.frame$.subscribe({
      next: (frame) => {
        const { width, height } = frame.layout;
        const pixels = Uint8Array.from(frame.pixels);
        frame[Symbol.dispose]();
        queueMicrotask(() => subscription.unsubscribe());
        resolve({ pixels, width, height });
      },
      error: reject,
    });
  });
}

/** Boxes the size of people, all over the picture. */
function crowd(count: number): { readonly box: Box }[] {
  return Array.from({ length: count }, (_, i) => ({
    box: [0.05 + (i % 8) * 0.11, 0.05 + Math.floor(i / 8) * 0.1, 0.06, 0.2] as const,
  }));
}

async function time(runs: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let run = -Math.min(WARM_UP, runs - 1); run < runs; run++) {
    const startMs = performance.now();
    await work();
    if (run >= 0) times.push(performance.now() - startMs);
  }
  return times;
}

function row(name: string, times: readonly number[], boxes?: number): string[] {
  const [p50, p90] = [quantile(times, 0.5), quantile(times, 0.9)];
  return [name, p50.toFixed(1), p90.toFixed(1), boxes === undefined ? '' : (p50 / boxes).toFixed(2)];
}

async function ownCosts(view: View, runs: number): Promise<string[][]> {
  const folder = bundledModelsDir();
  const manifest = await loadManifest(folder);
  const entry = findModel(manifest, 'detector');
  const { objects } = await findEnrichmentModels(folder, manifest);
  if (!objects) throw new Error('the models folder has no objects model');
  const on = { device: 'cpu', threads: 1 } as const;
  await using detector = await Detector.open({
    ...{ ...entry.settings, ...on },
    path: await verifyModel(folder, entry),
  });
  await using head = await ObjectHead.open({ ...objects, ...on });
  const rows = [row('detector', await time(runs, () => detector.detect(view)))];
  const { features, own } = await detector.detect(view, true);
  if (!features) throw new Error('the detector gave no feature maps');
  const wants = { masks: true, embeddings: true, grid: true };
  for (const count of BOXES) {
    const times = await time(runs, () => head.run({ ...own, features }, crowd(count), wants));
    rows.push(row(`our head, ${count} ${count === 1 ? 'box' : 'boxes'}`, times, count));
  }
  return rows;
}

async function samCosts(view: View, options: Readonly<Record<string, string>>): Promise<string[][]> {
  const folder = options['sam'] ?? '';
  if (folder === '') return [['SAM-sized model', 'not measured: name one with --sam DIR', '', '']];
  const [encoder, decoder] = [join(folder, 'encoder.onnx'), join(folder, 'decoder.onnx')];
  if (!existsSync(encoder)) throw new Error(`there is no encoder.onnx in ${folder}`);
  await using model = await SamModel.open({
    ...{ encoder, decoder, name: 'sam', device: 'cpu', threads: 1 },
  });
  const runs = positive(options, 'sam-runs');
  const picture = rgbOf(view);
  const encoding = await time(runs, () => model.encode(picture));
  const scene = await model.encode(picture);
  const decoding = await time(runs, () => segmentPrompts(model, scene, crowd(4)));
  return [row('SAM encoder, per frame', encoding), row('SAM decoder, 4 boxes', decoding, 4)];
}
