import type { CauseQuery, LearnedForecast, TrackTensors } from '../../core/learned-models.js';
import { PresageError } from '../../core/errors.js';
import { ModelSession, type InputTensor, type OutputTensor } from '../runtime/ort.js';
import { trackFeed } from './track-feed.js';
import type { LearnedFiles } from './learned-protocol.js';

/** Both graphs are small: one thread computes a call in milliseconds and leaves the cores to the detector. */
const THREADS = 1;
/** Output shapes of docs/fused-model.md after the object dimensions. */
const SINGLE = [5, 6];
const PAIR = [2, 6];
const PATHS = [6, 30, 3];
const MODES = [6];

/** The forecaster and the cause head as ONNX sessions of the calling thread. */
export class LearnedGraphs implements AsyncDisposable {
  readonly #forecaster: ModelSession | undefined;
  readonly #causes: ModelSession | undefined;

  private constructor(forecaster: ModelSession | undefined, causes: ModelSession | undefined) {
    this.#forecaster = forecaster;
    this.#causes = causes;
  }

  /** @throws {PresageError} model_invalid */
  static async open(files: LearnedFiles): Promise<LearnedGraphs> {
    const forecaster = await openGraph(files.forecaster, ['boxes', 'seen', 'kind', 'age', 'aspect']);
    try {
      const causes = await openGraph(files.causes, [
        ...['boxes', 'seen', 'kind', 'age', 'aspect'],
        ...['event', 'role', 'contact'],
      ]);
      return new LearnedGraphs(forecaster, causes);
    } catch (thrown) {
      await forecaster?.close();
      throw thrown;
    }
  }

  /** @throws {PresageError} inference_failed */
  async forecast(tracks: TrackTensors): Promise<LearnedForecast> {
    const { count } = tracks;
    const session = loaded(this.#forecaster, 'forecaster');
    const outputs = await session.run(trackFeed(tracks), ['single', 'pair', 'paths', 'modes']);
    return {
      single: checked('single', outputs.single, [count, ...SINGLE]),
      pair: checked('pair', outputs.pair, [count, count, ...PAIR]),
      paths: checked('paths', outputs.paths, [count, ...PATHS]),
      modes: checked('modes', outputs.modes, [count, ...MODES]),
    };
  }

  /** @throws {PresageError} inference_failed */
  async necessary({ tracks, event, roles, contacts }: CauseQuery): Promise<Float32Array> {
    const { count } = tracks;
    const session = loaded(this.#causes, 'cause head');
    const feed = {
      ...trackFeed(tracks),
      event: integers([event]),
      role: integers(roles),
      contact: floats(contacts, [count, count, 2]),
    };
    const { necessary } = await session.run(feed, ['necessary']);
    return checked('necessary', necessary, [count]);
  }

  async close(): Promise<void> {
    await this.#causes?.close();
    await this.#forecaster?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function openGraph(
  path: string | undefined,
  inputs: readonly string[],
): Promise<ModelSession | undefined> {
  if (path === undefined) return undefined;
  const session = await ModelSession.open(path, { device: 'cpu', threads: THREADS });
  const given = session.inputs.map(({ name }) => name).sort();
  if (given.join() === [...inputs].sort().join()) return session;
  await session.close();
  throw new PresageError(
    'model_invalid',
    `${path} reads ${given.join(', ')}, expected ${inputs.join(', ')}`,
    { hint: 'check the file with: presage models verify' },
  );
}

function loaded(session: ModelSession | undefined, name: string): ModelSession {
  if (session) return session;
  throw new PresageError('inference_failed', `no ${name} is loaded`);
}

function floats(data: Float32Array, dims: readonly number[]): InputTensor {
  return { type: 'float32', data, dims };
}

function integers(values: readonly number[]): InputTensor {
  return { type: 'int64', data: BigInt64Array.from(values, BigInt), dims: [values.length] };
}

/**
 * Returns the values of an output.
 * @throws {PresageError} inference_failed — the shape differs or a value is not finite
 */
function checked(name: string, { data, dims }: OutputTensor, shape: readonly number[]): Float32Array {
  if (dims.join() !== shape.join())
    throw new PresageError(
      'inference_failed',
      `output ${name} is [${dims.join()}], expected [${shape.join()}]`,
    );
  if (!data.every(Number.isFinite))
    throw new PresageError('inference_failed', `output ${name} holds values that are not finite`);
  return data;
}
