import type { VisualTokens } from '../../core/learned-models.js';
import type { MemorySnapshot } from '../../core/memory.js';
import { FORECAST_STEPS, MAX_TRACKS, trackTensors } from '../tracks/track-tensors.js';

/** What the fusion core gets to see; less of it shows what a part adds. */
export interface View {
  /** Object tokens; without them the core sees boxes only. */
  readonly appearances: boolean;
  readonly scenes: boolean;
}

/** Values of a embedding as the core takes it; shorter ones are filled up with 0. */
const EMBEDDING_WIDTH = 256;
const MAX_SCENES = 24;

/**
 * What the fusion core reads of a moment: the objects with a slot first, then others in view. Undefined where nothing was
 * in view in the last 3 s.
 *
 * @param slots ids of the objects that the prompt names, by slot
 */
export function visualTokens(
  snapshot: MemorySnapshot,
  slots: readonly string[],
  view: View,
): VisualTokens | undefined {
  const named = new Set(slots);
  const others = snapshot.objects.filter(({ id }) => !named.has(id)).map(({ id }) => id);
  const order = [...slots, ...others].slice(0, MAX_TRACKS);
  const tracks = trackTensors(snapshot, { steps: FORECAST_STEPS, objects: order });
  if (!tracks) return undefined;
  const { ids, tensors } = tracks;
  const clips = view.scenes ? snapshot.scenes.slice(-MAX_SCENES) : [];
  return {
    tracks: tensors,
    slots: ids.map((id) => order.indexOf(id)),
    appearances: view.appearances ? looksOf(snapshot, ids) : new Float32Array(ids.length * EMBEDDING_WIDTH),
    scenes: clips.map(({ t, embedding }) => ({
      ageS: Math.max(snapshot.t - t, 0),
      embedding: filled(embedding),
    })),
  };
}

/** [ids, 256] */
function looksOf(snapshot: MemorySnapshot, ids: readonly string[]): Float32Array {
  const records = new Map([...snapshot.departed, ...snapshot.objects].map((record) => [record.id, record]));
  const looks = new Float32Array(ids.length * EMBEDDING_WIDTH);
  ids.forEach((id, row) => {
    const embedding = records.get(id)?.embedding;
    if (embedding) looks.set(filled(embedding), row * EMBEDDING_WIDTH);
  });
  return looks;
}

function filled(embedding: Float32Array): Float32Array {
  const whole = new Float32Array(EMBEDDING_WIDTH);
  whole.set(embedding.subarray(0, EMBEDDING_WIDTH));
  return whole;
}
