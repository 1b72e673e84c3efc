import { boxCentre, type Affine, type Box } from '../../core/maths/box.js';

/** The box after a camera motion. Only the effect of rotation on the centre and on scale is applied. */
export function moveBox(box: Box, [a, b, c, d, e, f]: Affine): Box {
  const [x, y] = boxCentre(box);
  const scale = Math.sqrt(Math.abs(a * d - b * c));
  const [width, height] = [scale * box[2], scale * box[3]];
  return [a * x + c * y + e - width / 2, b * x + d * y + f - height / 2, width, height];
}
