import { FramePool, i420Layout, type Frame } from '../../../../src/core/video/frame.js';

/** A frame of one colour, given in YUV (BT.601 limited). Dispose it. */
export function plainFrame(
  width: number,
  height: number,
  t: number,
  yuv: readonly [number, number, number] = [126, 128, 128],
): Frame {
  const layout = i420Layout(width, height);
  const pool = new FramePool(layout, 1);
  const pixels = pool.take()!;
  pixels.fill(yuv[0], 0, layout.ySize);
  pixels.fill(yuv[1], layout.ySize, layout.ySize + layout.chromaSize);
  pixels.fill(yuv[2], layout.ySize + layout.chromaSize);
  return pool.lease(pixels, { index: Math.round(t * 10), t, receivedAtMs: 0 });
}
