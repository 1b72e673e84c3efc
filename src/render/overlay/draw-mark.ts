import type { SKRSContext2D } from '@napi-rs/canvas';
import { colorOf } from '../../core/image/object-colors.js';
import type { Box } from '../../core/maths/box.js';
import { objectPhrase } from '../../core/text/object-names.js';
import { inkOn } from './draw-text.js';
import { fontOf } from './font.js';

/** An object to mark on a picture. */
export interface MarkedObject {
  readonly id: string;
  readonly label: string;
  /** Fractions of the frame. */
  readonly box: Box;
}

const LABEL_SIZE = 11;

/**
 * Draws the box of an object and its name, in its colour. The name stays inside the canvas.
 * @param box px of the canvas
 */
export function drawMark(
  ctx: SKRSContext2D,
  object: Pick<MarkedObject, 'id' | 'label'>,
  [x, y, w, h]: Box,
): void {
  const { width: canvasWidth, height: canvasHeight } = ctx.canvas;
  const color = colorOf(object.id);
  ctx.lineWidth = 4;
  ctx.strokeStyle = 'rgba(11, 15, 21, 0.55)';
  ctx.strokeRect(x, y, w, h);
  ctx.lineWidth = 2;
  ctx.strokeStyle = color;
  ctx.strokeRect(x, y, w, h);
  ctx.font = fontOf(LABEL_SIZE, true);
  const text = objectPhrase(object);
  const width = ctx.measureText(text).width + 6;
  const labelX = Math.max(Math.min(x - 1, canvasWidth - width), 0);
  const labelY =
    y >= LABEL_SIZE + 5 ? y - LABEL_SIZE - 5 : Math.min(Math.max(y, 0) + 1, canvasHeight - LABEL_SIZE - 4);
  ctx.fillStyle = color;
  ctx.fillRect(labelX, labelY, width, LABEL_SIZE + 4);
  ctx.fillStyle = inkOn(color);
  ctx.textBaseline = 'middle';
  ctx.fillText(text, labelX + 3, labelY + (LABEL_SIZE + 4) / 2 + 0.5);
}
