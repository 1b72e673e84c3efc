import type { Area } from './area.js';

export interface TagText {
  /** In fractions of the frame. */
  readonly box: readonly [number, number, number, number];
  readonly text: string;
  /** What is expected of it, behind its name. */
  readonly more: string | undefined;
  readonly color: string;
  readonly alpha: number;
}

const FONT = '600 11px "Inter Variable", system-ui, sans-serif';
const HEIGHT = 17;
const PAD = 5;

const widths = new Map<string, number>();

/** Names above their boxes, or inside where there is no room; none covers another where it can be helped. */
export function placeTags(ctx: CanvasRenderingContext2D, area: Area, tags: readonly TagText[]): void {
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  const taken: [number, number, number, number][] = [];
  for (const tag of tags) {
    const first = widthOf(ctx, tag.text) + 2 * PAD;
    const width = first + (tag.more === undefined ? 0 : widthOf(ctx, tag.more) + 2 * PAD);
    const [bx, by, , bh] = tag.box;
    const x = clamp(bx * area.width - 1, 0, area.width - width);
    const top = by * area.height;
    const heights = [top - HEIGHT - 3, top + 2, top + bh * area.height + 3].filter(
      (y) => y >= 0 && y + HEIGHT <= area.height,
    );
    const isFree = (y: number): boolean => !taken.some((other) => overlaps(other, [x, y, width, HEIGHT]));
    const y = heights.find(isFree) ?? heights[0] ?? clamp(top, 0, area.height - HEIGHT);
    taken.push([x, y, width, HEIGHT]);
    paintTag(ctx, tag, x, y, first, width);
  }
}

function paintTag(
  ctx: CanvasRenderingContext2D,
  { text, more, color, alpha }: TagText,
  x: number,
  y: number,
  first: number,
  width: number,
): void {
  ctx.globalAlpha = alpha;
  if (more !== undefined) {
    ctx.fillStyle = 'rgba(10, 10, 11, .82)';
    ctx.beginPath();
    ctx.roundRect(x, y, width, HEIGHT, 4);
    ctx.fill();
    ctx.fillStyle = '#f5b84a';
    ctx.fillText(more, x + first + PAD, y + HEIGHT / 2 + 0.5);
  }
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.roundRect(x, y, first, HEIGHT, 4);
  ctx.fill();
  ctx.fillStyle = '#0a0a0b';
  ctx.fillText(text, x + PAD, y + HEIGHT / 2 + 0.5);
}

function widthOf(ctx: CanvasRenderingContext2D, text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  if (widths.size > 2000) widths.clear();
  const width = ctx.measureText(text).width;
  widths.set(text, width);
  return width;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(Math.min(value, most), least);
}

function overlaps(a: readonly number[], b: readonly number[]): boolean {
  const [ax = 0, ay = 0, aw = 0, ah = 0] = a;
  const [bx = 0, by = 0, bw = 0, bh = 0] = b;
  return ax < bx + bw && bx < ax + aw && ay < by + bh && by < ay + ah;
}
