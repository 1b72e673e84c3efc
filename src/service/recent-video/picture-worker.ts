/** Entry of the picture worker thread: makes JPEGs of frames and cuts parts out of JPEGs, one after the other. */
import { parentPort } from 'node:worker_threads';
import { createCanvas, ImageData, loadImage, type Canvas } from '@napi-rs/canvas';
import type { PxRegion } from '../../core/image/crop-i420.js';
import { toPresageError } from '../../core/errors.js';
import { i420Layout } from '../../core/video/frame.js';
import { i420ToRgba } from '../../core/image/i420-to-rgba.js';
import { rgbaToI420 } from '../../core/image/rgba-to-i420.js';
import {
  flattenError,
  type WorkerRequest,
  type WorkerResponse,
} from '../../model/runtime/worker-protocol.js';
import { drawMark } from '../../render/overlay/draw-mark.js';
import type { PictureAnswer, PictureWork } from './picture-protocol.js';

if (!parentPort) throw new Error('picture-worker runs as a worker thread only');
const port = parentPort;

/** JPEG quality of stored frames, which are inspected later: compression adds less than the noise of the camera. */
const FRAME_QUALITY = 85;
/** JPEG quality of pictures for viewers. */
const CROP_QUALITY = 80;
/** Colours of the last frame, used again for the next one of its size. */
let rgba = new Uint8ClampedArray(0);

function encode({ pixels, width, height }: Extract<PictureWork, { type: 'encode' }>): Uint8Array {
  const bytes = 4 * width * height;
  if (rgba.length !== bytes) rgba = new Uint8ClampedArray(bytes);
  i420ToRgba(pixels, i420Layout(width, height), new Uint32Array(rgba.buffer));
  const canvas = createCanvas(width, height);
  canvas.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas.encodeSync('jpeg', FRAME_QUALITY);
}

async function draw(jpeg: Uint8Array, { left, top, width, height }: PxRegion): Promise<Canvas> {
  const image = await loadImage(jpeg);
  const canvas = createCanvas(width, height);
  canvas.getContext('2d').drawImage(image, left, top, width, height, 0, 0, width, height);
  return canvas;
}

async function mark({
  jpeg,
  maxSidePx,
  objects,
}: Extract<PictureWork, { type: 'mark' }>): Promise<Uint8Array> {
  const image = await loadImage(jpeg);
  const scale = Math.min(1, maxSidePx / Math.max(image.width, image.height));
  const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  const canvas = createCanvas(width, height);
  const ctx = canvas.getContext('2d');
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(image, 0, 0, width, height);
  for (const object of objects) {
    const [x, y, w, h] = object.box;
    drawMark(ctx, object, [x * width, y * height, w * width, h * height]);
  }
  return canvas.encodeSync('jpeg', CROP_QUALITY);
}

async function compute(work: PictureWork): Promise<PictureAnswer> {
  const startMs = performance.now();
  if (work.type === 'encode') return { jpeg: encode(work), ms: performance.now() - startMs };
  if (work.type === 'mark') return { jpeg: await mark(work), ms: performance.now() - startMs };
  const { width, height } = work.region;
  const canvas = await draw(work.jpeg, work.region);
  if (work.type === 'crop')
    return { jpeg: canvas.encodeSync('jpeg', CROP_QUALITY), ms: performance.now() - startMs };
  const pixels = new Uint8Array(new SharedArrayBuffer(i420Layout(width, height).byteLength));
  rgbaToI420(canvas.getContext('2d').getImageData(0, 0, width, height).data, width, height, pixels);
  return { pixels };
}

function send(response: WorkerResponse<PictureAnswer>): void {
  port.postMessage(response);
}

let last = Promise.resolve();
port.on('message', (request: WorkerRequest<PictureWork>) => {
  last = last.then(async () => {
    if (request.type === 'close') {
      port.close();
      return;
    }
    try {
      send({ type: 'answer', answer: await compute(request) });
    } catch (thrown) {
      send({ type: 'error', error: flattenError(toPresageError(thrown, 'internal')) });
    }
  });
});
send({ type: 'ready' });
