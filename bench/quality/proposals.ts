import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { iou, type Box } from '../../src/core/maths/box.js';
import { i420Layout } from '../../src/core/video/frame.js';
import { findFfmpeg } from '../../src/ingest/ffmpeg-binary.js';
import { MotionAnalyzer } from '../../src/model/motion/motion-analyzer.js';
import type { Bench } from '../support/bench.js';
import { table } from '../support/results.js';
import { median, quantile } from '../support/statistics.js';

const DEFAULT_DATA = fileURLToPath(new URL('../../../shared/data/physics-dev', import.meta.url));
const MATCH_IOU = 0.5;
/** A body moves when its centre does by this many body heights per second, over this time, s. */
const MOVING_SPEED = 0.15;
const SPEED_WINDOW_S = 0.6;

/** Class-agnostic proposals, without detector and tracker, against the true boxes of simulated scenes. */
export const proposals: Bench = {
  options: { data: DEFAULT_DATA },
  async run({ data = DEFAULT_DATA }) {
    const names = (await readdir(data)).filter((name) => name.endsWith('.mp4')).toSorted();
    const scores: SceneScore[] = [];
    for (const name of names) scores.push(await scoreScene(path.join(data, name)));
    const sum = (key: 'moving' | 'movingFound' | 'all' | 'found' | 'proposed' | 'wrong'): number =>
      scores.reduce((total, score) => total + score[key], 0);
    const row = (name: string, of: typeof sum, ms: readonly number[]): string[] => [
      name,
      (of('movingFound') / of('moving')).toFixed(3),
      (of('found') / of('all')).toFixed(3),
      ((of('proposed') - of('wrong')) / of('proposed')).toFixed(3),
      String(of('wrong')),
      median(ms).toFixed(1),
      quantile(ms, 0.95).toFixed(1),
    ];
    return table(
      ['scene', 'recall of moving', 'recall of all', 'precision', 'false boxes', 'ms, median', 'ms, p95'],
      [
        ...scores.map((score) => row(score.name, (key) => score[key], score.ms)),
        row(
          'all',
          sum,
          scores.flatMap(({ ms }) => ms),
        ),
      ],
    );
  },
};

interface Truth {
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  /** By frame and object, px. */
  readonly boxes: Readonly<Record<string, Readonly<Record<string, Box>>>>;
}

interface SceneScore {
  readonly name: string;
  readonly moving: number;
  readonly movingFound: number;
  readonly all: number;
  readonly found: number;
  readonly proposed: number;
  readonly wrong: number;
  readonly ms: readonly number[];
}

async function scoreScene(video: string): Promise<SceneScore> {
  const truth = JSON.parse(await readFile(video.replace(/mp4$/, 'json'), 'utf8')) as Truth;
  const score = { moving: 0, movingFound: 0, all: 0, found: 0, proposed: 0, wrong: 0 };
  const ms: number[] = [];
  const analyzer = new MotionAnalyzer(truth.width, truth.height);
  let index = 0;
  for await (const pixels of decode(video, i420Layout(truth.width, truth.height).byteLength)) {
    const startMs = performance.now();
    const answer = analyzer.analyze(pixels, index / truth.fps);
    ms.push(performance.now() - startMs);
    const free = answer.proposals.map(({ box }): Box => {
      const [w, h] = [truth.width, truth.height];
      return [box[0] * w, box[1] * h, box[2] * w, box[3] * h];
    });
    score.proposed += free.length;
    for (const [id, box] of Object.entries(truth.boxes[index] ?? {})) {
      const moves = isMoving(truth, index, id);
      score.all += 1;
      score.moving += moves ? 1 : 0;
      const best = free.reduce((a, b, k) => (iou(b, box) > iou(free[a] ?? [0, 0, 0, 0], box) ? k : a), 0);
      if (!free[best] || iou(free[best], box) < MATCH_IOU) continue;
      free.splice(best, 1);
      score.found += 1;
      score.movingFound += moves ? 1 : 0;
    }
    score.wrong += free.length;
    index += 1;
  }
  return { name: path.basename(video, '.mp4'), ...score, ms };
}

function isMoving({ boxes, fps }: Truth, index: number, id: string): boolean {
  const half = Math.round((SPEED_WINDOW_S / 2) * fps);
  const at = (k: number): Box | undefined => boxes[k]?.[id];
  const [from, to] = [at(index - half) ?? at(index), at(index + half) ?? at(index)];
  if (!from || !to) return false;
  const x = to[0] + to[2] / 2 - from[0] - from[2] / 2;
  const y = to[1] + to[3] / 2 - from[1] - from[3] / 2;
  return Math.hypot(x, y) / SPEED_WINDOW_S / ((from[3] + to[3]) / 2) > MOVING_SPEED;
}

/** The frames of a video, I420, one after another. */
async function* decode(video: string, byteLength: number): AsyncGenerator<Uint8Array> {
  const ffmpeg = (await findFfmpeg()).path;
  const args = ['-v', 'error', '-i', video, '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'];
  const child = spawn(ffmpeg, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (; rest.length - at >= byteLength; at += byteLength) yield rest.subarray(at, at + byteLength);
    rest = rest.subarray(at);
  }
}
