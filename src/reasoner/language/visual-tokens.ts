import type { VisualTokens } from '../../core/learned-models.js';
import type { MemorySnapshot } from '../../core/memory.js';
import { FORECAST_STEPS, MOST_TRACKS, trackTensors } from '../tracks/track-tensors.js';

/** What the fusion core gets to see; less of it shows what a part adds. */
export interface View {
  /** Object tokens; without them the core sees boxes only. */
  readonly looks: boolean;
  readonly clips: boolean;
}

/** Values of a token as the core takes it; shorter ones are filled up with 0. */
const TOKEN_WIDTH = 256;
const MOST_CLIPS = 24;

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
  const order = [...slots, ...others].slice(0, MOST_TRACKS);
  const tracks = trackTensors(snapshot, { steps: FORECAST_STEPS, objects: order });
  if (!tracks) return undefined;
  const { ids, tensors } = tracks;
  const clips = view.clips ? snapshot.clips.slice(-MOST_CLIPS) : [];
  return {
    tracks: tensors,
    slots: ids.map((id) => order.indexOf(id)),
    looks: view.looks ? looksOf(snapshot, ids) : new Float32Array(ids.length * TOKEN_WIDTH),
    clips: clips.map(({ t, token }) => ({ ageS: Math.max(snapshot.t - t, 0), token: filled(token) })),
  };
}

/** [ids, 256] */
function looksOf(snapshot: MemorySnapshot, ids: readonly string[]): Float32Array {
  const records = new Map([...snapshot.departed, ...snapshot.objects].map((record) => [record.id, record]));
  const looks = new Float32Array(ids.length * TOKEN_WIDTH);
  ids.forEach((id, row) => {
    const token = records.get(id)?.token;
    if (token) looks.set(filled(token), row * TOKEN_WIDTH);
  });
  return looks;
}

function filled(token: Float32Array): Float32Array {
  const whole = new Float32Array(TOKEN_WIDTH);
  whole.set(token.subarray(0, TOKEN_WIDTH));
  return whole;
}
