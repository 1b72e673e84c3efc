import type { ForecastModel, LearnedForecast } from '../../../core/learned-models.js';
import type { ForecastItem } from '../../../core/messages.js';
import { FAST, type EventType } from '../../../core/ontology.js';
import type { MemorySnapshot, ObjectRecord } from '../../../core/memory.js';
import { FORECAST_STEPS, MAX_TRACKS, trackTensors } from '../../tracks/track-tensors.js';
import type { Expert } from '../expert.js';
import { itemKey } from '../learning.js';

/** Types in the order of the outputs `single` and `pair` (docs/fused-model.md). */
const SINGLE_TYPES: readonly EventType[] = ['exit', 'stop', 'start_moving', 'turn', 'loiter'];
const PAIR_TYPES: readonly EventType[] = ['meet', 'collide'];
/** Bins of the horizon; their sum is the probability of the item. */
const BINS = 6;

/** The forecaster as a source: what it says of single objects and pairs. Of zones and lines it says nothing. */
export class LearnedExpert implements Expert {
  readonly name = 'forecaster';
  readonly #model: ForecastModel;

  constructor(model: ForecastModel) {
    this.#model = model;
  }

  get model(): string {
    return this.#model.name;
  }

  async probabilities(
    snapshot: MemorySnapshot,
    items: readonly ForecastItem[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const objects = mostRelevant(snapshot.objects);
    const tracks = trackTensors(snapshot, { steps: FORECAST_STEPS, ...(objects && { objects }) });
    if (!tracks) return new Map();
    const said = await this.#model.forecast(tracks.tensors, signal);
    const rows = new Map(tracks.ids.map((id, row) => [id, row]));
    return new Map(
      items.flatMap((item): [string, number][] => {
        const p = probabilityOf(item, said, rows);
        return p === undefined ? [] : [[itemKey(item.type, item.participants, item.zone), p]];
      }),
    );
  }
}

/** Where more are in view than the model takes: those that move before those that stand, the nearest (tallest) first. */
function mostRelevant(objects: readonly ObjectRecord[]): readonly string[] | undefined {
  if (objects.length <= MAX_TRACKS) return undefined;
  const moves = ({ samples }: ObjectRecord): number => ((samples.at(-1)?.speed ?? 0) > FAST ? 1 : 0);
  return [...objects]
    .sort((a, b) => moves(b) - moves(a) || b.box[3] - a.box[3])
    .slice(0, MAX_TRACKS)
    .map(({ id }) => id);
}

function probabilityOf(
  { type, participants, zone }: ForecastItem,
  { single, pair }: LearnedForecast,
  rows: ReadonlyMap<string, number>,
): number | undefined {
  if (zone !== undefined) return undefined;
  const [a, b] = participants.map((id) => rows.get(id));
  if (a === undefined) return undefined;
  if (participants.length === 1) {
    const at = SINGLE_TYPES.indexOf(type);
    return at < 0 ? undefined : sumOfBins(single, a * SINGLE_TYPES.length + at);
  }
  const at = PAIR_TYPES.indexOf(type);
  if (at < 0 || b === undefined) return undefined;
  return sumOfBins(pair, (a * rows.size + b) * PAIR_TYPES.length + at);
}

function sumOfBins(values: Float32Array, place: number): number {
  const bins = values.subarray(place * BINS, (place + 1) * BINS);
  return Math.min(
    Math.max(
      bins.reduce((sum, p) => sum + p, 0),
      0,
    ),
    1,
  );
}
