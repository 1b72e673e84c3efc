import { createCanvas, loadImage, type SKRSContext2D } from '@napi-rs/canvas';
import type { Box } from '../../core/maths/box.js';
import { objectPhrase } from '../../core/text/object-names.js';
import { inkOn } from '../overlay/draw-text.js';
import { fontOf } from '../overlay/font.js';
import { colorOf } from '../../core/image/object-colors.js';

/** An object to be marked on a thumbnail; box in fractions of the frame. */
export interface MarkedObject {
  readonly id: string;
  readonly label: string;
  readonly box: Box;
}

export interface Thumbnail {
  /** Media time of the picture, s. */
  readonly t: number;
  /** JPEG in base64. */
  readonly data: string;
}

export const THUMBNAIL_WIDTH = 240;
export const THUMBNAIL_HEIGHT = 180;
const QUALITY = 74;
/** Room around the participants, as a part of their size, and the least part of the frame that is shown. */
const MARGIN = 0.5;
const MIN_PART = 0.3;
const LABEL_SIZE = 11;

/**
 * The part of the frame around the objects, with their boxes and names.
 * @param jpeg the frame at media time `t`
 */
export async function makeThumbnail(
  jpeg: Uint8Array,
  t: number,
  objects: readonly MarkedObject[],
): Promise<Thumbnail> {
  const source = await loadImage(jpeg);
  const { width, height } = source;
  const crop = cropAround(
    objects.map((object) => toPx(object.box, width, height)),
    width,
    height,
  );
  const canvas = createCanvas(THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT);
  const ctx = canvas.getContext('2d');
  ctx.fillStyle = '#10151d';
  ctx.fillRect(0, 0, THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT);
  const scale = Math.min(THUMBNAIL_WIDTH / crop[2], THUMBNAIL_HEIGHT / crop[3]);
  const left = (THUMBNAIL_WIDTH - crop[2] * scale) / 2;
  const top = (THUMBNAIL_HEIGHT - crop[3] * scale) / 2;
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(source, crop[0], crop[1], crop[2], crop[3], left, top, crop[2] * scale, crop[3] * scale);
  for (const object of objects) {
    const [x, y, w, h] = toPx(object.box, width, height);
    drawMark(ctx, object, [left + (x - crop[0]) * scale, top + (y - crop[1]) * scale, w * scale, h * scale]);
  }
  return { t, data: canvas.toBuffer('image/jpeg', QUALITY).toString('base64') };
}

/** A region of the thumbnail's shape, inside the frame where it fits, that holds all the boxes. All px. */
export function cropAround(boxes: readonly Box[], width: number, height: number): Box {
  const aspect = THUMBNAIL_WIDTH / THUMBNAIL_HEIGHT;
  if (boxes.length === 0) return [0, 0, width, height];
  const left = Math.min(...boxes.map((box) => box[0]));
  const top = Math.min(...boxes.map((box) => box[1]));
  const right = Math.max(...boxes.map((box) => box[0] + box[2]));
  const bottom = Math.max(...boxes.map((box) => box[1] + box[3]));
  const wide = Math.max((right - left) * (1 + MARGIN), width * MIN_PART);
  const high = Math.max((bottom - top) * (1 + MARGIN), height * MIN_PART);
  const w = Math.min(Math.max(wide, high * aspect), width);
  const h = Math.min(Math.max(high, wide / aspect), height);
  const x = Math.max(Math.min((left + right - w) / 2, width - w), 0);
  const y = Math.max(Math.min((top + bottom - h) / 2, height - h), 0);
  return [x, y, w, h];
}

function drawMark(ctx: SKRSContext2D, object: MarkedObject, [x, y, w, h]: Box): void {
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
  const labelX = Math.max(Math.min(x - 1, THUMBNAIL_WIDTH - width), 0);
  const labelY =
    y >= LABEL_SIZE + 5
      ? y - LABEL_SIZE - 5
      : Math.min(Math.max(y, 0) + 1, THUMBNAIL_HEIGHT - LABEL_SIZE - 4);
  ctx.fillStyle = color;
  ctx.fillRect(labelX, labelY, width, LABEL_SIZE + 4);
  ctx.fillStyle = inkOn(color);
  ctx.textBaseline = 'middle';
  ctx.fillText(text, labelX + 3, labelY + (LABEL_SIZE + 4) / 2 + 0.5);
}

function toPx(box: Box, width: number, height: number): Box {
  return [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
}
