/**
 * Entry of a child process that tests one device, so that a crash or hang of a native binding does not affect Presage.
 * Runs the detector on the CPU and on the device over the same picture, and sends one ProbeReport to its parent.
 */
import { toPresageError } from '../../core/errors.js';
import { flattenError, type ErrorShape } from './worker-protocol.js';
import { Detector, type DetectorOptions, type RawInference } from '../detector/detector.js';
import type { Picture } from './planes.js';

export type ProbeReport =
  | { readonly ok: true; readonly cpuMs: number; readonly deviceMs: number; readonly gaps: ProbeGaps }
  | { readonly ok: false; readonly error: ErrorShape };

/** Largest differences between the device's outputs and the CPU's. */
export interface ProbeGaps {
  readonly score: number;
  readonly boxPx: number;
}

const PICTURE_WIDTH_PX = 320;
const PICTURE_HEIGHT_PX = 192;
/** The first run of a device compiles and is not measured; the fastest of the others is its speed. */
const RUNS = 4;

/** Returns a deterministic smooth picture with many edges and colours. */
function testPicture(): Picture {
  const [width, height] = [PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX];
  const pixels = new Uint8Array((width * height * 3) / 2);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    pixels[i] = Math.round(128 + 60 * Math.sin((x * x) / 2400) * Math.cos(y / 9) + 40 * Math.sin(y / 31));
  }
  return { pixels, width, height };
}

async function measure(detector: Detector, picture: Picture): Promise<{ raw: RawInference; ms: number }> {
  let raw = await detector.infer(picture);
  let ms = Infinity;
  for (let run = 1; run < RUNS; run++) {
    const startMs = performance.now();
    raw = await detector.infer(picture);
    ms = Math.min(ms, performance.now() - startMs);
  }
  await detector.close();
  return { raw, ms };
}

function largestGap(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(gap <= largest)) largest = Number.isNaN(gap) ? Infinity : gap;
  }
  return largest;
}

async function probe(options: DetectorOptions): Promise<ProbeReport> {
  try {
    const picture = testPicture();
    // The device first: where it does not exist, the CPU session is not needed.
    const device = await measure(await Detector.open(options), picture);
    const cpu = await measure(await Detector.open({ ...options, device: 'cpu' }), picture);
    const gaps = {
      score: largestGap(cpu.raw.scores.data, device.raw.scores.data),
      boxPx: largestGap(cpu.raw.boxes.data, device.raw.boxes.data),
    };
    return { ok: true, cpuMs: cpu.ms, deviceMs: device.ms, gaps };
  } catch (thrown) {
    return { ok: false, error: flattenError(toPresageError(thrown, 'device_unavailable')) };
  }
}

process.once('message', (options) => {
  void probe(options as DetectorOptions).then((report) => process.send?.(report, () => process.disconnect()));
});
