import type { Box } from '../../core/maths/box.js';
import { PresageError } from '../../core/errors.js';
import type { Mask } from '../../core/percept.js';
import type { FeatureView } from '../detector/detector.js';
import { ModelSession, type Device, type InputTensor } from '../runtime/ort.js';
import { i420Planes } from '../runtime/planes.js';
import { enlargeBox, pasteMask } from './paste-mask.js';
import { maskSize, type Prompt, type Segment, type Segmenter, type SegmentView } from './segmenter.js';

export interface ObjectHeadOptions {
  /** Path of the verified model file. */
  readonly path: string;
  /** `name@version` */
  readonly name: string;
  readonly device: Device;
  readonly threads: number;
  /** The mask's grid covers the box enlarged by this share of its sides. */
  readonly margin: number;
}

/** Results to compute; omitted ones cost nothing. */
export interface ObjectRequest {
  readonly masks: boolean;
  readonly embeddings: boolean;
  /** The pooled features of the whole picture, for the scene embedding. */
  readonly grid: boolean;
}

export interface ObjectFindings {
  /** One per prompt, in their order. */
  readonly segments: readonly Segment[];
  /** [48, 256] */
  readonly grid?: Float32Array | undefined;
}

const WHOLE_FRAME: Box = [0, 0, 1, 1];

/**
 * The object head on the detector's feature maps: box or point → mask and appearance, and the grid of the whole picture.
 * Blocks the calling thread while it computes; it runs in the detector's worker, so that only results cross threads.
 */
export class ObjectHead implements Segmenter {
  readonly name: string;
  readonly #session: ModelSession;
  readonly #margin: number;

  private constructor(options: ObjectHeadOptions, session: ModelSession) {
    this.name = options.name;
    this.#margin = options.margin;
    this.#session = session;
  }

  /** @throws {PresageError} model_invalid, device_unavailable */
  static async open(options: ObjectHeadOptions): Promise<ObjectHead> {
    return new ObjectHead(options, await ModelSession.open(options.path, options));
  }

  async segment(view: SegmentView, prompts: readonly Prompt[]): Promise<readonly Segment[]> {
    return (await this.run(view, prompts, { masks: true, embeddings: true, grid: false })).segments;
  }

  /** @throws {PresageError} inference_failed — the model failed, or `view` has no feature maps */
  async run(view: SegmentView, prompts: readonly Prompt[], request: ObjectRequest): Promise<ObjectFindings> {
    const gridOnly = prompts.length === 0 || !(request.masks || request.embeddings);
    if (gridOnly && !request.grid) return { segments: prompts.map(() => ({ quality: 0 })) };
    if (!view.features)
      throw new PresageError('inference_failed', `${this.name} requires the detector's feature maps`);
    // The graph requires at least one box, even for the grid alone.
    const fed = gridOnly ? [{ box: WHOLE_FRAME }] : prompts;
    const outputs = await this.#session.run(feedOf(view, view.features, fed), [
      ...(request.masks && !gridOnly ? (['masks', 'quality'] as const) : []),
      ...(request.embeddings && !gridOnly ? (['tokens'] as const) : []),
      ...(request.grid ? (['grid'] as const) : []),
    ]);
    const { masks, quality, tokens: embeddings, grid } = outputs as Partial<typeof outputs>;
    const size = maskSize(view.width, view.height);
    const segments = prompts.map((prompt, index): Segment => {
      const mask = masks && this.#paste(rowOf(masks.data, index, fed.length), boxOf(prompt), size);
      return {
        quality: mask ? Math.min(1, Math.max(0, quality?.data[index] ?? 0)) : 0,
        ...(mask && { mask }),
        ...(embeddings && { embedding: rowOf(embeddings.data, index, fed.length).slice() }),
      };
    });
    return { segments, grid: grid?.data.slice() };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #paste(probabilities: Float32Array, box: Box, size: readonly [number, number]): Mask | undefined {
    const side = Math.round(Math.sqrt(probabilities.length));
    return pasteMask({ probabilities, side, box: enlargeBox(box, this.#margin) }, size);
  }
}

function rowOf(data: Float32Array, row: number, rows: number): Float32Array {
  const length = data.length / rows;
  return data.subarray(row * length, (row + 1) * length);
}

/** Returns the box of a prompt; the whole frame for points alone. */
function boxOf({ box }: Prompt): Box {
  return box ?? WHOLE_FRAME;
}

/** Returns the first point on the object, the only one that the head accepts; `given` is 0 without one. */
function pointOf({ points }: Prompt): readonly [x: number, y: number, given: number] {
  const point = points?.find(({ on }) => on !== false);
  return point ? [point.at[0], point.at[1], 1] : [0, 0, 0];
}

function feedOf(
  view: SegmentView,
  { maps, covered }: FeatureView,
  prompts: readonly Prompt[],
): Record<string, InputTensor> {
  const rows = (values: readonly number[], columns: number): InputTensor => ({
    type: 'float32',
    data: Float32Array.from(values),
    dims: [prompts.length, columns],
  });
  return {
    p3: { type: 'float32', ...maps.p3 },
    p4: { type: 'float32', ...maps.p4 },
    p5: { type: 'float32', ...maps.p5 },
    ...i420Planes(view),
    covered: { type: 'float32', data: Float32Array.from(covered), dims: [2] },
    boxes: rows(prompts.flatMap(boxOf), 4),
    points: rows(prompts.flatMap(pointOf), 3),
  };
}
