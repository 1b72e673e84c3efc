import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Box } from '../../core/maths/box.js';
import type { ObjectState } from '../../core/messages.js';
import type { Mask } from '../../core/percept.js';
import { objectPhrase } from '../../core/text/object-names.js';
import { percent } from '../wording.js';
import { fitText, inkOn } from './draw-text.js';
import { fontOf } from './font.js';
import { maskOutlines } from '../../core/image/mask-outline.js';
import type { OverlayLayout } from './overlay-layout.js';
import type { CaptionedPrediction, Ghost, OverlayView, TrailPoint } from './overlay-state.js';
import { colorOf } from '../../core/image/object-colors.js';
import { INK } from './palette.js';

/** Draws on the picture: trails, predicted paths, boxes with names. */
export function paintObjects(ctx: SKRSContext2D, view: OverlayView, layout: OverlayLayout): void {
  const { width, height } = layout.picture;
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  ctx.clip();
  ctx.lineJoin = 'round';
  ctx.lineCap = 'round';
  const brush = { ctx, layout, line: Math.max(Math.round(width / 400), 1) };
  for (const [id, trail] of view.trails) paintTrail(brush, trail, colorOf(id), view.t);
  for (const ghost of view.ghosts) paintGhost(brush, ghost);
  const inFront = [...view.objects].sort((a, b) => a.box[1] + a.box[3] - b.box[1] - b.box[3]);
  for (const object of inFront) {
    if (object.mask) paintMask(brush, object, object.mask);
    else paintBox(brush, object);
  }
  if (layout.panel !== undefined) {
    const taken: Box[] = [];
    for (const object of inFront) paintTag(brush, object, taken);
    for (const object of inFront) paintExpectation(brush, object, view.predictions, taken);
  }
  ctx.restore();
}

interface Brush {
  readonly ctx: SKRSContext2D;
  readonly layout: OverlayLayout;
  /** Width of a box's line, px. */
  readonly line: number;
}

function toPx(box: Box, { layout }: Brush): Box {
  const { width, height } = layout.picture;
  return [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
}

/** A line that fades towards the past. */
function paintTrail(
  { ctx, layout, line }: Brush,
  trail: readonly TrailPoint[],
  color: string,
  now: number,
): void {
  const { width, height } = layout.picture;
  ctx.strokeStyle = color;
  ctx.lineWidth = line * 1.25;
  for (let i = 1; i < trail.length; i += 1) {
    const [from, to] = [trail[i - 1], trail[i]];
    if (from === undefined || to === undefined) continue;
    ctx.globalAlpha = 0.75 * Math.max(1 - (now - to.t) / 3, 0.04);
    ctx.beginPath();
    ctx.moveTo(from.at[0] * width, from.at[1] * height);
    ctx.lineTo(to.at[0] * width, to.at[1] * height);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** The expected way: boxes that fade, and dots along their feet. */
function paintGhost(brush: Brush, ghost: Ghost): void {
  const { ctx, line } = brush;
  const color = colorOf(ghost.id);
  ghost.boxes.forEach((box, index) => {
    const [x, y, w, h] = toPx(box, brush);
    const strength = 1 - index / (ghost.boxes.length + 1);
    ctx.globalAlpha = 0.9 * strength;
    ctx.fillStyle = color;
    ctx.beginPath();
    ctx.arc(x + w / 2, y + h, line * 1.4, 0, 2 * Math.PI);
    ctx.fill();
    if (index % 2 === 0) return;
    ctx.globalAlpha = 0.16 * strength;
    ctx.fillRect(x, y, w, h);
    ctx.globalAlpha = 0.85 * strength;
    ctx.strokeStyle = color;
    ctx.lineWidth = Math.max(line * 0.75, 1);
    ctx.setLineDash([line * 2.5, line * 2.5]);
    ctx.strokeRect(x, y, w, h);
    ctx.setLineDash([]);
  });
  ctx.globalAlpha = 1;
}

function paintBox(brush: Brush, object: ObjectState): void {
  const { ctx, line } = brush;
  const [x, y, w, h] = toPx(object.box, brush);
  const radius = Math.min(line * 2, w / 4, h / 4);
  const hidden = object.state === 'hidden';
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, radius);
  ctx.globalAlpha = hidden ? 0.25 : 0.55;
  ctx.strokeStyle = INK.dark;
  ctx.lineWidth = line * 2;
  ctx.stroke();
  ctx.globalAlpha = hidden ? 0.7 : 1;
  ctx.strokeStyle = colorOf(object.id);
  ctx.lineWidth = line;
  if (hidden) ctx.setLineDash([line * 3, line * 3]);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** The object's own shape, in place of its box. */
function paintMask(brush: Brush, object: ObjectState, mask: Mask): void {
  const { ctx, layout, line } = brush;
  const { width, height } = layout.picture;
  ctx.beginPath();
  for (const outline of maskOutlines(mask)) {
    outline.forEach(([x, y], index) => {
      if (index === 0) ctx.moveTo(x * width, y * height);
      else ctx.lineTo(x * width, y * height);
    });
    ctx.closePath();
  }
  ctx.fillStyle = colorOf(object.id);
  ctx.globalAlpha = 0.22;
  ctx.fill('evenodd');
  ctx.globalAlpha = 0.55;
  ctx.strokeStyle = INK.dark;
  ctx.lineWidth = line * 2;
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colorOf(object.id);
  ctx.lineWidth = line;
  ctx.stroke();
}

/** The name above the box, or inside where there is no room above. */
function paintTag(brush: Brush, object: ObjectState, taken: Box[]): void {
  const { ctx, layout, line } = brush;
  const [x, y, , h] = toPx(object.box, brush);
  const size = tagSize(layout);
  ctx.font = fontOf(size, true);
  const text = objectPhrase(object);
  const place = placeTag(
    brush,
    ctx.measureText(text).width,
    size,
    x - line / 2,
    [y - size * 1.5, y + line, y + h],
    taken,
  );
  const color = colorOf(object.id);
  ctx.globalAlpha = object.state === 'hidden' ? 0.6 : 0.95;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.roundRect(...place, size / 5);
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.fillStyle = inkOn(color);
  ctx.textBaseline = 'middle';
  ctx.fillText(text, place[0] + size * 0.35, place[1] + place[3] / 2 + 0.5);
}

/** The most probable open prediction of an object, under its box. */
function paintExpectation(
  brush: Brush,
  object: ObjectState,
  all: readonly CaptionedPrediction[],
  taken: Box[],
): void {
  const mine = all
    .filter((one) => one.outcome === 'open' && one.objects[0] === object.id)
    .reduce<CaptionedPrediction | undefined>(
      (best, one) => (best && best.probability >= one.probability ? best : one),
      undefined,
    );
  if (mine === undefined) return;
  const { ctx, layout, line } = brush;
  const [x, y, w, h] = toPx(object.box, brush);
  const size = tagSize(layout) - 1;
  ctx.font = fontOf(size);
  const text = fitText(ctx, `${mine.deed} ${percent(mine.probability)}`, layout.picture.width / 3);
  const width = ctx.measureText(text).width;
  const left = x + w / 2 - width / 2 - size * 0.35;
  const place = placeTag(
    brush,
    width,
    size,
    left,
    [y + h + line, y + h - size * 1.5, y + h + size * 1.6],
    taken,
  );
  ctx.fillStyle = INK.shade;
  ctx.beginPath();
  ctx.roundRect(...place, size / 5);
  ctx.fill();
  ctx.fillStyle = INK.text;
  ctx.textBaseline = 'middle';
  ctx.fillText(text, place[0] + size * 0.35, place[1] + place[3] / 2 + 0.5);
}

/** The first of the heights at which a tag covers no other and stays on the picture; else the first that stays. */
function placeTag(
  { layout }: Brush,
  textWidth: number,
  size: number,
  left: number,
  tops: readonly number[],
  taken: Box[],
): [x: number, y: number, w: number, h: number] {
  const [w, h] = [textWidth + size * 0.7, size * 1.4];
  const x = Math.max(Math.min(left, layout.picture.width - w), 0);
  const on = tops.filter((y) => y >= 0 && y + h <= layout.picture.height);
  const free = on.find((y) => !taken.some((other) => overlap(other, [x, y, w, h])));
  const y = free ?? on[0] ?? Math.max(Math.min(tops[0] ?? 0, layout.picture.height - h), 0);
  taken.push([x, y, w, h]);
  return [x, y, w, h];
}

function overlap(a: Box, b: Box): boolean {
  return a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];
}

function tagSize(layout: OverlayLayout): number {
  return Math.max(Math.round(layout.fontSize * 0.85), 10);
}
