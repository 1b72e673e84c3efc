import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

/** Family name under which the bundled font is known to the canvas; the machine's own fonts play no part. */
const FAMILY = 'Presage Sans';
const FILES = ['DejaVuSansCondensed.ttf', 'DejaVuSansCondensed-Bold.ttf'];
let registered = false;

/** A CSS font of the bundled family. @param size px */
export function fontOf(size: number, bold = false): string {
  if (!registered) {
    const require = createRequire(import.meta.url);
    for (const file of FILES)
      GlobalFonts.registerFromPath(require.resolve(`dejavu-fonts-ttf/ttf/${file}`), FAMILY);
    registered = true;
  }
  return `${bold ? 'bold ' : ''}${size}px "${FAMILY}"`;
}
