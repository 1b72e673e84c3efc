/** Layout of an annotated frame: the picture at the top, the captions on a panel below it. All px. */
export interface OverlayLayout {
  /** Even, as H.264 wants it. */
  readonly width: number;
  readonly height: number;
  readonly picture: { readonly width: number; readonly height: number };
  /** Undefined when the picture is too small for any words. */
  readonly panel:
    | { readonly top: number; readonly height: number; readonly columns: 1 | 2; readonly rows: number }
    | undefined;
  readonly fontSize: number;
  readonly lineHeight: number;
}

/** Small pictures are enlarged to about this width so that words fit; larger than the most are made smaller. */
const GOOD_WIDTH = 640;
const MAX_WIDTH = 1920;
const MAX_ENLARGEMENT = 4;
const MIN_WIDTH_FOR_WORDS = 240;
const TWO_COLUMNS_FROM = 560;
const ROWS = 6;
/** Least size of a video: encoders refuse smaller ones. */
const MIN_SIDE = 16;

/** @param width, height size of the source frames, px, ≥ 1 */
export function overlayLayout(width: number, height: number): OverlayLayout {
  const enlarged = Math.min(Math.max(Math.round(GOOD_WIDTH / width), 1), MAX_ENLARGEMENT);
  const scale = width > MAX_WIDTH ? MAX_WIDTH / width : enlarged;
  const picture = {
    width: Math.max(Math.round(width * scale), 1),
    height: Math.max(Math.round(height * scale), 1),
  };
  const canvasWidth = Math.max(even(picture.width), MIN_SIDE);
  const fontSize = Math.min(Math.max(Math.round(canvasWidth / 58), 11), 25);
  const lineHeight = Math.round(fontSize * 1.6);
  if (canvasWidth < MIN_WIDTH_FOR_WORDS) {
    const canvasHeight = Math.max(even(picture.height), MIN_SIDE);
    return { width: canvasWidth, height: canvasHeight, picture, panel: undefined, fontSize, lineHeight };
  }
  const columns = canvasWidth >= TWO_COLUMNS_FROM ? 2 : 1;
  const lines = columns === 2 ? ROWS + 1 : ROWS + 3;
  const canvasHeight = even(picture.height + Math.round((lines + 0.7) * lineHeight));
  const panel = { top: picture.height, height: canvasHeight - picture.height, columns, rows: ROWS } as const;
  return { width: canvasWidth, height: canvasHeight, picture, panel, fontSize, lineHeight };
}

function even(size: number): number {
  return size + (size & 1);
}
