import type { SKRSContext2D } from '@napi-rs/canvas';

/** The text, or as much of it as fits with an ellipsis. Uses the context's present font. @param width px */
export function fitText(ctx: SKRSContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${text.slice(0, low).trimEnd()}…`;
}

/** Lines broken at spaces; what doesn't fit on the last one ends in an ellipsis. @param width px */
export function wrapText(ctx: SKRSContext2D, text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  let rest = text.split(' ');
  while (rest.length > 0 && lines.length < most - 1) {
    let count = 1;
    while (count < rest.length && ctx.measureText(rest.slice(0, count + 1).join(' ')).width <= width)
      count += 1;
    lines.push(fitText(ctx, rest.slice(0, count).join(' '), width));
    rest = rest.slice(count);
  }
  if (rest.length > 0) lines.push(fitText(ctx, rest.join(' '), width));
  return lines;
}

/** Black or white, whichever reads better on the colour (`#rrggbb`). */
export function inkOn(color: string): string {
  const value = Number.parseInt(color.slice(1), 16);
  const luma = 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255);
  return luma > 140 ? '#0b0f15' : '#ffffff';
}
