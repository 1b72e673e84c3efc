/** Every side of the detector's canvas is a multiple of its largest stride. */
const CANVAS_STEP_PX = 32;

/**
 * Placement of a picture in the detector's canvas: resized to `content` with its aspect ratio, placed at the top left, and
 * filled with black up to `canvas`, whose sides are the next multiples of 32 px ("rectangular inference"). All in px.
 */
export interface Letterbox {
  readonly contentWidth: number;
  readonly contentHeight: number;
  readonly canvasWidth: number;
  readonly canvasHeight: number;
}

/**
 * @param width of the picture, px, ≥ 1
 * @param height of the picture, px, ≥ 1
 * @param longSidePx length of the picture's longer side on the canvas
 */
export function fitLetterbox(width: number, height: number, longSidePx: number): Letterbox {
  const scale = longSidePx / Math.max(width, height);
  const contentWidth = Math.max(1, Math.round(width * scale));
  const contentHeight = Math.max(1, Math.round(height * scale));
  return {
    contentWidth,
    contentHeight,
    canvasWidth: roundUp(contentWidth),
    canvasHeight: roundUp(contentHeight),
  };
}

function roundUp(px: number): number {
  return Math.ceil(px / CANVAS_STEP_PX) * CANVAS_STEP_PX;
}
