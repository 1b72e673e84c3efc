import { basename } from 'node:path';
import type { Box } from '../../../core/maths/box.js';
import { PresageError } from '../../../core/errors.js';
import { findOptionalModel, hashFile, verifyModel, type Manifest } from '../../runtime/manifest.js';
import { ModelSession, type Device, type InputTensor } from '../../runtime/ort.js';
import type { Prompt } from '../segmenter.js';
import { contentSize, resizeRgb, toInterleaved, toPlanes, type RgbPicture } from './sam-picture.js';

/** The two files of a SAM-family model. */
export interface SamPaths {
  readonly encoder: string;
  readonly decoder: string;
}

export interface SamOptions extends SamPaths {
  /** `name@version` */
  readonly name: string;
  readonly device: Device;
  readonly threads: number;
}

/** An encoded picture, ready for prompts. */
export interface SamScene {
  /** Outputs of the encoder, by the names of the decoder's inputs. */
  readonly embeddings: Readonly<Record<string, InputTensor>>;
  /** Size of the picture, px. */
  readonly width: number;
  readonly height: number;
  /** Part of the model's input that the picture covers, px. */
  readonly content: { readonly width: number; readonly height: number };
}

/** The decoder's answer to one prompt. */
export interface SamLogits {
  /** [masks, side, side]: above 0 inside; covers the model's whole square input. */
  readonly logits: Float32Array;
  readonly side: number;
  /** [masks]: the model's estimate of each mask's IoU, about 0–1. */
  readonly quality: Float32Array;
}

/** Side of the model's square input where its graph does not declare it, px. */
const DEFAULT_SIDE_PX = 1024;
/** Inputs of the decoder that come from the prompt; all others come from the encoder. */
const PROMPT_INPUTS = new Set([
  'point_coords',
  'point_labels',
  'mask_input',
  'has_mask_input',
  'orig_im_size',
]);
/** Labels of the decoder's points. */
const LABEL = { padding: -1, off: 0, on: 1, topLeft: 2, bottomRight: 3 } as const;

/**
 * A SAM-family pair of ONNX files with the interface of the published exports (Segment Anything, Kirillov et al. 2023): an
 * encoder of one picture, and a decoder of `point_coords`, `point_labels`, `mask_input`, `has_mask_input`, `orig_im_size` and
 * the encoder's outputs. Encoders accept either [height, width, 3] RGB 0–255 (normalised and padded in the graph) or
 * [1, 3, side, side] normalised and padded. Blocks the calling thread while it computes.
 */
export class SamModel implements AsyncDisposable {
  readonly #encoder: ModelSession;
  readonly #decoder: ModelSession;
  /** Side of the square input, px. */
  readonly side: number;

  private constructor(encoder: ModelSession, decoder: ModelSession) {
    this.#encoder = encoder;
    this.#decoder = decoder;
    const side = encoder.inputs[0]?.shape.at(-1);
    const mask = decoder.inputs.find(({ name }) => name === 'mask_input')?.shape.at(-1);
    // Low-resolution masks are a quarter of the input for every size of the model.
    this.side =
      this.#acceptsPlanes && typeof side === 'number'
        ? side
        : typeof mask === 'number'
          ? mask * 4
          : DEFAULT_SIDE_PX;
  }

  /**
   * @throws {PresageError} model_invalid — a file is invalid, or the two are not a pair
   * @throws {PresageError} device_unavailable
   */
  static async open(options: SamOptions): Promise<SamModel> {
    const encoder = await ModelSession.open(options.encoder, options);
    try {
      const decoder = await ModelSession.open(options.decoder, options);
      const mismatch = mismatchOf(encoder, decoder);
      if (mismatch === undefined) return new SamModel(encoder, decoder);
      await decoder.close();
      throw new PresageError('model_invalid', `${options.name} is not a SAM-family pair: ${mismatch}`, {
        hint: 'name an encoder and its decoder, or fetch MobileSAM: presage models pull mobile-sam',
      });
    } catch (thrown) {
      await encoder.close();
      throw thrown;
    }
  }

  /**
   * Encodes a picture: the slow step, once per picture.
   * @throws {PresageError} inference_failed
   */
  async encode(picture: RgbPicture): Promise<SamScene> {
    const { width, height } = picture;
    const content = contentSize(width, height, this.side);
    const resized = resizeRgb(picture, content.width, content.height);
    const [input] = this.#encoder.inputs;
    const tensor: InputTensor = this.#acceptsPlanes
      ? { type: 'float32', data: toPlanes(resized, this.side), dims: [1, 3, this.side, this.side] }
      : { type: 'float32', data: toInterleaved(resized), dims: [content.height, content.width, 3] };
    const outputs = await this.#encoder.run({ [input?.name ?? '']: tensor }, this.#encoder.outputs);
    const names = this.#decoder.inputs.map(({ name }) => name).filter((name) => !PROMPT_INPUTS.has(name));
    const embeddings = Object.fromEntries(
      names.map((name) => {
        const output = outputs[name] ?? outputs[this.#encoder.outputs[0] ?? ''];
        if (!output) throw new PresageError('inference_failed', `the encoder has no output ${name}`);
        return [name, { type: 'float32', data: output.data.slice(), dims: output.dims } as const];
      }),
    );
    return { embeddings, width, height, content };
  }

  /** @throws {PresageError} inference_failed */
  async decode(scene: SamScene, prompt: Prompt): Promise<SamLogits> {
    const points = decoderPoints(prompt, scene.content);
    const low = this.side / 4;
    const feed: Record<string, InputTensor> = {
      ...scene.embeddings,
      point_coords: floats(
        points.flatMap(({ x, y }) => [x, y]),
        [1, points.length, 2],
      ),
      point_labels: floats(
        points.map(({ label }) => label),
        [1, points.length],
      ),
      mask_input: { type: 'float32', data: new Float32Array(low * low), dims: [1, 1, low, low] },
      has_mask_input: floats([0], [1]),
      orig_im_size: floats([scene.height, scene.width], [2]),
    };
    const known = new Set(this.#decoder.inputs.map(({ name }) => name));
    const { low_res_masks: masks, iou_predictions: quality } = await this.#decoder.run(
      Object.fromEntries(Object.entries(feed).filter(([name]) => known.has(name))),
      // Without the output `masks`, the same in the frame's size, the graph does not compute it.
      ['low_res_masks', 'iou_predictions'],
    );
    return {
      logits: masks.data.slice(),
      side: masks.dims.at(-1) ?? low,
      quality: quality.data.slice(),
    };
  }

  async close(): Promise<void> {
    await this.#encoder.close();
    await this.#decoder.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #acceptsPlanes(): boolean {
    return this.#encoder.inputs[0]?.shape.length === 4;
  }
}

/**
 * Returns the given files, or the verified files of MobileSAM in the models folder.
 * @throws {PresageError} bad_option — only one of the two files is given
 * @throws {PresageError} model_missing, model_hash_mismatch
 */
export async function findSam(
  modelsDir: string,
  manifest: Manifest,
  given: Partial<SamPaths> = {},
): Promise<SamPaths & { readonly name: string }> {
  const { encoder, decoder } = given;
  if (encoder !== undefined && decoder !== undefined) {
    const name = basename(encoder).replace(/\.onnx$/, '');
    return { encoder, decoder, name: `${name}@${(await hashGiven(encoder)).slice(0, 12)}` };
  }
  if (encoder !== undefined || decoder !== undefined)
    throw new PresageError(
      'bad_option',
      'a SAM-family model has two files: name its encoder and its decoder',
    );
  const [encoderEntry, decoderEntry] = [
    findOptionalModel(manifest, 'sam-encoder'),
    findOptionalModel(manifest, 'sam-decoder'),
  ];
  if (!encoderEntry || !decoderEntry)
    throw new PresageError('model_missing', 'the manifest has no SAM-family model', {
      hint: 'name the files with --sam-encoder FILE --sam-decoder FILE',
    });
  return {
    encoder: await verifyModel(modelsDir, encoderEntry),
    decoder: await verifyModel(modelsDir, decoderEntry),
    name: `${encoderEntry.pack ?? encoderEntry.name}@${encoderEntry.sha256.slice(0, 12)}`,
  };
}

async function hashGiven(path: string): Promise<string> {
  try {
    return await hashFile(path);
  } catch (cause) {
    throw new PresageError('model_missing', `the SAM encoder cannot be read: ${path}`, { cause });
  }
}

/** Returns why the two graphs are not a pair; undefined when they are. */
function mismatchOf(encoder: ModelSession, decoder: ModelSession): string | undefined {
  const rank = encoder.inputs[0]?.shape.length;
  if (encoder.inputs.length !== 1 || (rank !== 3 && rank !== 4))
    return 'the encoder must have one input, [height, width, 3] or [1, 3, side, side]';
  const names = decoder.inputs.map(({ name }) => name);
  const missing = ['point_coords', 'point_labels'].find((name) => !names.includes(name));
  if (missing !== undefined) return `the decoder has no input ${missing}`;
  const absent = ['low_res_masks', 'iou_predictions'].find((name) => !decoder.outputs.includes(name));
  if (absent !== undefined) return `the decoder has no output ${absent}`;
  const embeddings = names.filter((name) => !PROMPT_INPUTS.has(name));
  const single = embeddings.length === 1 && encoder.outputs.length === 1;
  const unmet = embeddings.find((name) => !single && !encoder.outputs.includes(name));
  return unmet === undefined ? undefined : `the encoder has no output ${unmet}`;
}

interface DecoderPoint {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

/** Returns points and box corners in px of the model's input; without a box the decoder requires a padding point at the end. */
function decoderPoints(
  { box, points = [] }: Prompt,
  content: { readonly width: number; readonly height: number },
): DecoderPoint[] {
  const at = (x: number, y: number, label: number): DecoderPoint => ({
    x: x * content.width,
    y: y * content.height,
    label,
  });
  const given = points.map((point) =>
    at(point.at[0], point.at[1], point.on === false ? LABEL.off : LABEL.on),
  );
  return box ? [...given, ...corners(box, at)] : [...given, at(0, 0, LABEL.padding)];
}

function corners(
  [x, y, w, h]: Box,
  at: (x: number, y: number, label: number) => DecoderPoint,
): DecoderPoint[] {
  return [at(x, y, LABEL.topLeft), at(x + w, y + h, LABEL.bottomRight)];
}

function floats(values: readonly number[], dims: readonly number[]): InputTensor {
  return { type: 'float32', data: Float32Array.from(values), dims };
}
