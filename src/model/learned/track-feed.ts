import type { TrackTensors } from '../../core/learned-models.js';
import type { InputTensor } from '../runtime/ort.js';

/** Converts tracks to inputs of the learned graphs. */
export function trackFeed(tracks: TrackTensors): Record<string, InputTensor> {
  const { count, steps, boxes, seen, kinds, ages, aspect } = tracks;
  return {
    boxes: { type: 'float32', data: boxes, dims: [count, steps, 4] },
    seen: { type: 'float32', data: seen, dims: [count, steps] },
    kind: { type: 'int64', data: BigInt64Array.from(kinds, BigInt), dims: [count] },
    age: { type: 'float32', data: ages, dims: [count] },
    aspect: { type: 'float32', data: Float32Array.of(aspect), dims: [1] },
  };
}
