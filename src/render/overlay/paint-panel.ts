import type { SKRSContext2D } from '@napi-rs/canvas';
import { mediaTime, percent } from '../wording.js';
import { fitText, wrapText } from './draw-text.js';
import { fontOf } from './font.js';
import type { OverlayLayout } from './overlay-layout.js';
import type { CaptionedEvent, CaptionedPrediction, OverlayView } from './overlay-state.js';
import { colorOf } from '../../core/image/object-colors.js';
import { INK } from './palette.js';

interface Column {
  readonly ctx: SKRSContext2D;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly rows: number;
  readonly fontSize: number;
  readonly lineHeight: number;
}

/** The panel under the picture: what happened and why on one side, what is expected on the other. */
export function paintPanel(ctx: SKRSContext2D, view: OverlayView, layout: OverlayLayout): void {
  const { panel, fontSize, lineHeight, width } = layout;
  if (panel === undefined) return;
  ctx.fillStyle = INK.panel;
  ctx.fillRect(0, panel.top, width, panel.height);
  ctx.fillStyle = INK.panelEdge;
  ctx.fillRect(0, panel.top, width, Math.max(Math.round(fontSize / 12), 1));
  ctx.textBaseline = 'middle';
  const margin = fontSize;
  const inner = width - 2 * margin;
  const two = panel.columns === 2;
  const half = two ? (inner - 2 * margin) / 2 : inner;
  const first = { ctx, x: margin, y: panel.top + lineHeight * 0.35, width: half, fontSize, lineHeight };
  const rowsOfEvents = two ? panel.rows : panel.rows / 2;
  paintEvents({ ...first, rows: rowsOfEvents }, view);
  const second = two
    ? { ...first, x: margin * 3 + half, rows: panel.rows }
    : { ...first, y: first.y + (rowsOfEvents + 1.2) * lineHeight, rows: panel.rows - rowsOfEvents + 0.5 };
  paintPredictions(second, view);
}

function heading(column: Column, left: string, right: string): void {
  const { ctx, x, width, fontSize } = column;
  ctx.font = fontOf(Math.max(Math.round(fontSize * 0.82), 9), true);
  ctx.fillStyle = INK.dim;
  const y = lineAt(column, 0);
  ctx.fillText(left, x, y);
  ctx.font = fontOf(Math.max(Math.round(fontSize * 0.82), 9));
  ctx.fillText(right, x + width - ctx.measureText(right).width, y);
}

function lineAt({ y, lineHeight }: Column, row: number): number {
  return y + (row + 0.5) * lineHeight;
}

function paintEvents(column: Column, view: OverlayView): void {
  heading(column, 'WHAT HAPPENED', mediaTime(view.t));
  let row = 1;
  for (const [index, event] of view.events.entries()) {
    if (row > column.rows) return;
    row = paintEvent(column, event, row, index === 0);
  }
  if (view.events.length === 0) faintNote(column, 'nothing yet');
}

/** One event, and its reason under the newest one. Returns the next free row. */
function paintEvent(column: Column, event: CaptionedEvent, row: number, newest: boolean): number {
  const { ctx, x, width, fontSize } = column;
  const y = lineAt(column, row);
  ctx.font = fontOf(fontSize);
  const indent = ctx.measureText('00:00.0').width + fontSize * 1.4;
  const time = mediaTime(event.t);
  ctx.fillStyle = INK.dim;
  ctx.fillText(time, x + indent - fontSize * 1.3 - ctx.measureText(time).width, y);
  ctx.fillStyle = colorOf(event.objects[0] ?? '');
  ctx.beginPath();
  ctx.arc(x + indent - fontSize * 0.7, y, fontSize * 0.26, 0, 2 * Math.PI);
  ctx.fill();
  ctx.font = fontOf(fontSize, newest);
  ctx.fillStyle = newest ? INK.text : INK.dim;
  ctx.fillText(fitText(ctx, event.text, width - indent), x + indent, y);
  if (!newest || event.why === undefined) return row + 1;
  ctx.font = fontOf(Math.round(fontSize * 0.92));
  ctx.fillStyle = INK.dim;
  const lines = wrapText(ctx, event.why, width - indent, Math.min(2, column.rows - row));
  lines.forEach((line, index) => ctx.fillText(line, x + indent, lineAt(column, row + 0.92 * (index + 1))));
  return row + 1 + lines.length;
}

function paintPredictions(column: Column, view: OverlayView): void {
  const { hits, misses } = view.tally;
  const tally = hits + misses === 0 ? '' : `${hits} came true · ${misses} did not`;
  heading(column, 'WHAT IS EXPECTED', tally);
  const shown = view.predictions.slice(0, Math.floor(column.rows)).sort((a, b) => a.issuedAt - b.issuedAt);
  shown.forEach((prediction, index) => paintPrediction(column, prediction, index + 1));
  if (shown.length === 0) faintNote(column, 'nothing out of the ordinary');
}

function paintPrediction(column: Column, prediction: CaptionedPrediction, row: number): void {
  const { ctx, x, width, fontSize } = column;
  const y = lineAt(column, row);
  const { outcome } = prediction;
  const color =
    outcome === 'hit' ? INK.hit : outcome === 'miss' ? INK.miss : outcome === 'void' ? INK.faint : INK.open;
  if (outcome === 'hit' || outcome === 'miss') {
    ctx.globalAlpha = 0.14;
    ctx.fillStyle = color;
    ctx.beginPath();
    ctx.roundRect(
      x - fontSize * 0.4,
      y - fontSize * 0.75,
      width + fontSize * 0.8,
      fontSize * 1.5,
      fontSize * 0.25,
    );
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  ctx.font = fontOf(fontSize, true);
  const figure = percent(prediction.probability);
  const figureWidth = ctx.measureText('100\u00a0%').width;
  const barWidth = Math.round(width * 0.18);
  const barX = x + width - figureWidth - fontSize * 0.5 - barWidth;
  ctx.fillStyle = color;
  ctx.fillText(figure, x + width - ctx.measureText(figure).width, y);
  paintBar(ctx, [barX, y - fontSize * 0.26, barWidth, fontSize * 0.52], prediction, color);
  const sign = outcome === 'hit' ? '✓' : outcome === 'miss' ? '✗' : outcome === 'void' ? '–' : '→';
  ctx.fillText(sign, x, y);
  const left = x + fontSize * 1.2;
  const room = barX - left - fontSize * 0.6;
  ctx.font = fontOf(fontSize, outcome === 'hit');
  ctx.fillStyle = outcome === 'void' ? INK.dim : INK.text;
  const text = fitText(ctx, prediction.text, room);
  ctx.fillText(text, left, y);
  if (outcome !== 'open') return;
  const used = ctx.measureText(`${text} `).width;
  ctx.font = fontOf(Math.round(fontSize * 0.92));
  ctx.fillStyle = INK.faint;
  if (ctx.measureText(prediction.window).width <= room - used)
    ctx.fillText(prediction.window, left + used, y);
}

/** Probability as a bar, with a tick where it usually is. */
function paintBar(
  ctx: SKRSContext2D,
  [x, y, width, height]: readonly [number, number, number, number],
  { probability, baseRate }: CaptionedPrediction,
  color: string,
): void {
  const radius = height / 2;
  ctx.fillStyle = INK.panelEdge;
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, radius);
  ctx.fill();
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.roundRect(x, y, Math.max(width * probability, height), height, radius);
  ctx.fill();
  const tick = Math.max(Math.round(height / 5), 1);
  ctx.fillStyle = INK.text;
  ctx.fillRect(Math.round(x + baseRate * (width - tick)), y - tick, tick, height + 2 * tick);
}

function faintNote(column: Column, text: string): void {
  column.ctx.font = fontOf(column.fontSize);
  column.ctx.fillStyle = INK.faint;
  column.ctx.fillText(text, column.x, lineAt(column, 1));
}
