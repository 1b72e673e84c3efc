import { colorOf } from '../../src/core/image/object-colors.js';
import type { StreamModel } from '../state/stream-model.js';
import { clock } from '../state/words.js';

/** What the timeline spans around now, s. */
export const TIMELINE = { past: 80, future: 8 } as const;
const SPAN = TIMELINE.past + TIMELINE.future;
const LANE = { axis: 15, events: 24, tall: 15, outcomes: 51 } as const;

export function xAt(t: number, width: number, now: number): number {
  return ((t - now + TIMELINE.past) / SPAN) * width;
}

export function timeAt(x: number, width: number, now: number): number {
  return now - TIMELINE.past + (x / width) * SPAN;
}

interface Marks {
  readonly scrubT: number | undefined;
  readonly eventId: string | undefined;
}

/** Past events as strokes, outcomes of predictions as dots under them, and the windows of open predictions right of now. */
export function paintTimeline(canvas: HTMLCanvasElement, model: StreamModel, marks: Marks): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = Math.min(window.devicePixelRatio, 2);
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const ctx = canvas.getContext('2d');
  const now = model.clock.now();
  if (!ctx || width === 0) return;
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, width, height);
  if (now === undefined) return;
  const colors = themeColors(canvas);
  const brush = { ctx, width, height, now, colors };
  paintAxis(brush);
  paintOpen(brush, model);
  for (const event of model.events.value) {
    const x = xAt(event.t, width, now);
    if (x < 0) continue;
    const selected = event.id === marks.eventId;
    ctx.fillStyle = colorOf(event.participants[0]?.id ?? '');
    ctx.globalAlpha = selected ? 1 : 0.85;
    ctx.beginPath();
    const tall = selected ? LANE.tall + 6 : LANE.tall;
    ctx.roundRect(
      x - (selected ? 2 : 1.25),
      LANE.events - (selected ? 3 : 0),
      selected ? 4 : 2.5,
      tall,
      1.25,
    );
    ctx.fill();
  }
  for (const { resolvedAt, outcome } of model.board.past.value) {
    const x = xAt(resolvedAt, width, now);
    if (x < 0 || outcome === 'void') continue;
    ctx.globalAlpha = 1;
    ctx.fillStyle = outcome === 'hit' ? colors.hit : colors.miss;
    ctx.beginPath();
    ctx.arc(x, LANE.outcomes, 2.75, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  paintCursor(brush, marks.scrubT);
}

interface Brush {
  readonly ctx: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly now: number;
  readonly colors: ReturnType<typeof themeColors>;
}

function paintAxis({ ctx, width, height, now, colors }: Brush): void {
  const nowX = xAt(now, width, now);
  ctx.fillStyle = colors.soft;
  ctx.fillRect(nowX, 0, width - nowX, height);
  ctx.font = '500 10.5px "Inter Variable", system-ui, sans-serif';
  ctx.textBaseline = 'alphabetic';
  ctx.fillStyle = colors.muted;
  const every = width < 520 ? 20 : 10;
  for (let t = Math.ceil(Math.max(now - TIMELINE.past, 0) / every) * every; t <= now; t += every) {
    const x = xAt(t, width, now);
    ctx.globalAlpha = 0.35;
    ctx.fillRect(x, LANE.axis + 3, 1, height - LANE.axis - 6);
    ctx.globalAlpha = 1;
    const text = clock(t, false);
    if (x + ctx.measureText(text).width + 8 < nowX) ctx.fillText(text, x + 4, LANE.axis - 2);
  }
  ctx.fillStyle = colors.accent;
  ctx.fillText('next', nowX + 6, LANE.axis - 2);
}

/** A window each, in as many rows as there is room for. */
function paintOpen({ ctx, width, now, colors }: Brush, model: StreamModel): void {
  let row = 0;
  for (const { window, probability } of model.board.open()) {
    const from = xAt(Math.max(window.from, now - 2), width, now);
    const to = xAt(Math.min(window.to, now + TIMELINE.future), width, now);
    if (to <= from) continue;
    ctx.fillStyle = colors.accent;
    ctx.globalAlpha = 0.25 + 0.65 * probability;
    ctx.beginPath();
    ctx.roundRect(from, LANE.events + (row % 5) * 6, to - from, 4, 2);
    ctx.fill();
    row += 1;
  }
  ctx.globalAlpha = 1;
}

function paintCursor({ ctx, width, height, now, colors }: Brush, scrubT: number | undefined): void {
  const x = Math.round(xAt(scrubT ?? now, width, now));
  ctx.fillStyle = scrubT === undefined ? colors.accent : colors.ink;
  ctx.fillRect(x - 0.75, 0, 1.5, height);
  ctx.beginPath();
  ctx.arc(x, height - 4, 4, 0, 2 * Math.PI);
  ctx.fill();
}

function themeColors(
  element: Element,
): Readonly<Record<'ink' | 'muted' | 'accent' | 'soft' | 'hit' | 'miss', string>> {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: of('--ink'),
    muted: of('--muted'),
    accent: of('--accent'),
    soft: of('--accent-soft'),
    hit: of('--hit'),
    miss: of('--miss'),
  };
}
