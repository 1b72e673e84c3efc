import type { Prediction } from '../../src/core/messages.js';
import { maskOutlines } from '../../src/core/image/mask-outline.js';
import { colorOf } from '../../src/core/image/object-colors.js';
import { UPRIGHT_LABELS } from '../../src/core/ontology.js';
import type { DrawnObject, Scene, TrackBook } from '../state/track-book.js';
import type { Area } from './area.js';
import { pathAhead } from './path-ahead.js';
import { placeTags, type TagText } from './tags.js';

/** What is drawn over the picture. */
export interface Layers {
  readonly boxes: boolean;
  readonly names: boolean;
  readonly masks: boolean;
  readonly trails: boolean;
  readonly ghosts: boolean;
}
export const ALL_LAYERS: Layers = { boxes: true, names: true, masks: true, trails: true, ghosts: true };

export interface Paint {
  readonly scene: Scene;
  readonly tracks: TrackBook;
  readonly layers: Layers;
  /** Of open predictions. */
  readonly open: readonly Prediction[];
  /** These alone are bright, where there are any. */
  readonly lit: ReadonlySet<string>;
  /** For its masks: kept as long as they are the same. */
  readonly shapes: ShapeStore;
}

const TRAIL_S = 3;
const DIMMED = 0.25;

type Ctx = CanvasRenderingContext2D;
type Shape = readonly (readonly (readonly [number, number])[])[];

/** Outlines of masks, made once for each mask that is told. */
export class ShapeStore {
  readonly #shapes = new Map<string, { counts: string; shape: Shape }>();

  of({ id, mask }: DrawnObject): Shape | undefined {
    if (!mask) return undefined;
    const known = this.#shapes.get(id);
    if (known?.counts === mask.counts) return known.shape;
    let shape: Shape = [];
    try {
      shape = maskOutlines(mask);
    } catch {
      // A mask that cannot be read is not drawn: its box is.
    }
    if (this.#shapes.size > 512) this.#shapes.clear();
    this.#shapes.set(id, { counts: mask.counts, shape });
    return shape.length > 0 ? shape : undefined;
  }
}

/** Draws a moment over its picture. The canvas is cleared first. */
export function paintScene(ctx: Ctx, area: Area, paint: Paint): void {
  const { scene, layers, tracks, open } = paint;
  ctx.clearRect(0, 0, area.width, area.height);
  ctx.lineJoin = 'round';
  ctx.lineCap = 'round';
  const inFront = [...scene.objects].sort((a, b) => a.box[1] + a.box[3] - b.box[1] - b.box[3]);
  const expected = likeliest(open);
  if (layers.trails) for (const object of inFront) paintTrail(ctx, area, object, tracks, paint);
  if (layers.ghosts)
    for (const object of inFront) paintGhosts(ctx, area, object, expected.get(object.id), paint);
  for (const object of inFront) {
    ctx.globalAlpha = strength(object, paint);
    const shape = layers.masks && paint.shapes.of(object);
    if (shape) paintShape(ctx, area, object, shape);
    if (layers.boxes) paintBox(ctx, area, object, Boolean(shape));
  }
  if (layers.names) paintTags(ctx, area, inFront, expected, paint);
  ctx.globalAlpha = 1;
}

function strength({ id, state }: DrawnObject, { lit }: Paint): number {
  if (lit.size > 0 && !lit.has(id)) return DIMMED;
  return state === 'hidden' ? 0.6 : 1;
}

function likeliest(open: readonly Prediction[]): Map<string, Prediction> {
  const best = new Map<string, Prediction>();
  for (const one of open)
    for (const id of one.event.participants)
      if ((best.get(id)?.probability ?? -1) < one.probability) best.set(id, one);
  return best;
}

function paintTrail(
  ctx: Ctx,
  { width, height }: Area,
  object: DrawnObject,
  tracks: TrackBook,
  paint: Paint,
): void {
  const { t } = paint.scene;
  const upright = UPRIGHT_LABELS.has(object.label);
  const dots = tracks.trail(object.id, t, TRAIL_S, upright);
  const [x, y, w, h] = object.box;
  dots.push({ t, x: x + w / 2, y: y + h * (upright ? 1 : 0.5) });
  ctx.strokeStyle = colorOf(object.id);
  const bright = strength(object, paint);
  // Three strokes of different strength look like a fading one and cost a tenth of one for each piece.
  for (const [from, to, alpha, line] of [
    [0, 1 / 3, 0.16, 1.5],
    [1 / 3, 2 / 3, 0.38, 2],
    [2 / 3, 1, 0.75, 2.5],
  ] as const) {
    ctx.globalAlpha = alpha * bright;
    ctx.lineWidth = line;
    ctx.beginPath();
    let begun = false;
    for (const dot of dots) {
      const age = 1 - (t - dot.t) / TRAIL_S;
      if (age < from - 0.04 || age > to + 0.04) continue;
      if (begun) ctx.lineTo(dot.x * width, dot.y * height);
      else ctx.moveTo(dot.x * width, dot.y * height);
      begun = true;
    }
    ctx.stroke();
  }
}

/** Where it goes if it goes on as it does: its shape a second, two and three from now, ever fainter. */
function paintGhosts(
  ctx: Ctx,
  area: Area,
  object: DrawnObject,
  expected: Prediction | undefined,
  paint: Paint,
): void {
  const path = pathAhead(object, paint.tracks, paint.scene.t);
  if (path.length === 0) return;
  const { width, height } = area;
  const bright = strength(object, paint) * (expected ? 1 : 0.6);
  const shape = paint.layers.masks ? paint.shapes.of(object) : undefined;
  ctx.fillStyle = ctx.strokeStyle = colorOf(object.id);
  const [x, y, w, h] = object.box;
  for (const { dx, dy, ahead } of path) {
    const fade = bright * (1 - ahead / 3.6);
    ctx.globalAlpha = 0.8 * fade;
    ctx.beginPath();
    ctx.arc((x + w / 2 + dx) * width, (y + h + dy) * height, 1.6, 0, 2 * Math.PI);
    ctx.fill();
    if (Math.abs(ahead - Math.round(ahead)) > 0.01) continue;
    tracePath(ctx, area, object, shape, [dx, dy]);
    ctx.globalAlpha = 0.22 * fade;
    ctx.fill('evenodd');
    ctx.globalAlpha = 0.8 * fade;
    ctx.lineWidth = 1.25;
    ctx.stroke();
  }
}

function tracePath(
  ctx: Ctx,
  area: Area,
  object: DrawnObject,
  shape: Shape | undefined,
  [dx, dy]: readonly [number, number],
): void {
  ctx.beginPath();
  if (shape) {
    traceShape(ctx, area, shape, [object.shift[0] + dx, object.shift[1] + dy]);
    return;
  }
  const [x, y, w, h] = object.box;
  ctx.roundRect((x + dx) * area.width, (y + dy) * area.height, w * area.width, h * area.height, 5);
}

/** Rounded at the corners: masks are told in steps of their pixels. */
function traceShape(
  ctx: Ctx,
  { width, height }: Area,
  shape: Shape,
  [sx, sy]: readonly [number, number],
): void {
  for (const outline of shape) {
    const count = outline.length;
    for (let index = 0; index <= count; index += 1) {
      const [ax, ay] = outline[index % count] ?? [0, 0];
      const [bx, by] = outline[(index + 1) % count] ?? [0, 0];
      const [mx, my] = [((ax + bx) / 2 + sx) * width, ((ay + by) / 2 + sy) * height];
      if (index === 0) ctx.moveTo(mx, my);
      else ctx.quadraticCurveTo((ax + sx) * width, (ay + sy) * height, mx, my);
    }
    ctx.closePath();
  }
}

function paintShape(ctx: Ctx, area: Area, object: DrawnObject, shape: Shape): void {
  const alpha = ctx.globalAlpha;
  ctx.beginPath();
  traceShape(ctx, area, shape, object.shift);
  ctx.fillStyle = ctx.strokeStyle = colorOf(object.id);
  ctx.globalAlpha = 0.24 * alpha;
  ctx.fill('evenodd');
  ctx.globalAlpha = 0.95 * alpha;
  ctx.lineWidth = 1.75;
  ctx.stroke();
  ctx.globalAlpha = alpha;
}

/** Whole where there is no shape; its corners alone where there is one. */
function paintBox(ctx: Ctx, { width, height }: Area, { id, box, state }: DrawnObject, shaped: boolean): void {
  const [x, y, w, h] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
  ctx.strokeStyle = colorOf(id);
  ctx.lineWidth = shaped ? 1.25 : 1.75;
  ctx.beginPath();
  if (shaped) {
    const arm = Math.max(Math.min(w, h) * 0.22, 4);
    for (const [cx, cy, sx, sy] of [
      [x, y, 1, 1],
      [x + w, y, -1, 1],
      [x + w, y + h, -1, -1],
      [x, y + h, 1, -1],
    ] as const) {
      ctx.moveTo(cx + sx * arm, cy);
      ctx.lineTo(cx, cy);
      ctx.lineTo(cx, cy + sy * arm);
    }
  } else {
    ctx.roundRect(x, y, w, h, Math.min(5, w / 4, h / 4));
  }
  if (state === 'hidden') ctx.setLineDash([4, 4]);
  ctx.stroke();
  ctx.setLineDash([]);
}

function paintTags(
  ctx: Ctx,
  area: Area,
  objects: readonly DrawnObject[],
  expected: ReadonlyMap<string, Prediction>,
  paint: Paint,
): void {
  const tags = objects.map((object): TagText => {
    const prediction = expected.get(object.id);
    const leads = prediction?.event.participants[0] === object.id ? prediction : undefined;
    return {
      box: object.box,
      text: `${object.label} #${object.id.replace(/^o/, '')}`,
      more: leads
        ? `${leads.event.type.replaceAll('_', ' ')} ${Math.round(leads.probability * 100)}%`
        : undefined,
      color: colorOf(object.id),
      alpha: strength(object, paint),
    };
  });
  placeTags(ctx, area, tags);
}
