import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Box } from '../../core/maths/box.js';
import { drawMark, type MarkedObject } from '../overlay/draw-mark.js';

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

function toPx(box: Box, width: number, height: number): Box {
  return [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
}
