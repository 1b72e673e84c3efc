/** Runs in the browser: draws a crowd with the dashboard's own painter and tells how long each picture took. */
import { encodeCounts } from '../../src/core/image/mask.js';
import type { ObjectState } from '../../src/core/messages.js';
import { ALL_LAYERS, paintScene, ShapeStore } from '../overlay/painter.js';
import { TrackBook } from '../state/track-book.js';

interface PaintTimes {
  /** Of drawing alone, ms. */
  readonly paintMs: readonly number[];
  /** From picture to picture, ms. */
  readonly stepMs: readonly number[];
}

const MASK = { width: 160, height: 90 } as const;
/** Told this often, as by a service that looks at every frame of a slow camera. */
const TOLD_FPS = 10;

export async function paintCrowd(
  canvas: HTMLCanvasElement,
  count: number,
  pictures: number,
): Promise<PaintTimes> {
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Error('there is no canvas');
  const tracks = new TrackBook();
  const shapes = new ShapeStore();
  const paintMs: number[] = [];
  const stepMs: number[] = [];
  let toldT = 0;
  let beforeMs = await nextFrame();
  const startMs = beforeMs;
  for (let index = 0; index < pictures; index += 1) {
    const nowMs = await nextFrame();
    const t = 1 + (nowMs - startMs) / 1000;
    const beginMs = performance.now();
    for (; toldT < t; toldT += 1 / TOLD_FPS) tracks.add(toldT, crowd(count, toldT));
    const scene = tracks.at(t - 1 / TOLD_FPS);
    paintScene(ctx, canvas, { scene, tracks, shapes, layers: ALL_LAYERS, lit: new Set(), open: [] });
    paintMs.push(performance.now() - beginMs);
    stepMs.push(nowMs - beforeMs);
    beforeMs = nowMs;
  }
  return { paintMs, stepMs };
}

function nextFrame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

/** Everyone walks, with an outline of their own. */
function crowd(count: number, t: number): ObjectState[] {
  return Array.from({ length: count }, (_, index): ObjectState => {
    const [w, h] = [0.035, 0.13];
    const angle = index * 2.4;
    const [vx, vy] = [0.05 * Math.cos(angle), 0.04 * Math.sin(angle)];
    const x = 0.03 + ((0.9 * ((index * 0.137 + vx * t) % 1) + 0.9) % 0.9);
    const y = 0.03 + ((0.8 * ((index * 0.211 + vy * t) % 1) + 0.8) % 0.8);
    const box: ObjectState['box'] = [x, y, w, h];
    return {
      id: `o${index}`,
      label: 'person',
      score: 0.9,
      box,
      velocity: [vx, vy],
      age: t,
      state: 'moving',
      mask: ellipse(box),
    };
  });
}

function ellipse([x, y, w, h]: ObjectState['box']): NonNullable<ObjectState['mask']> {
  const runs: number[] = [];
  let from = 0;
  for (let column = Math.ceil(x * MASK.width); column < (x + w) * MASK.width; column += 1) {
    const away = (column / MASK.width - x - w / 2) / (w / 2);
    const half = (h / 2) * MASK.height * Math.sqrt(Math.max(1 - away * away, 0));
    const [top, high] = [Math.round((y + h / 2) * MASK.height - half), Math.round(2 * half)];
    if (high < 1) continue;
    const at = column * MASK.height + top;
    runs.push(at - from, high);
    from = at + high;
  }
  runs.push(MASK.width * MASK.height - from);
  return { size: [MASK.height, MASK.width], counts: encodeCounts(runs) };
}

Object.assign(globalThis, { paintCrowd });
