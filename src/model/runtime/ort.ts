import * as ort from 'onnxruntime-node';
import { PresageError } from '../../core/errors.js';

/** Device option of users. `chooseDevice` resolves `auto`; the functions below require a concrete device. */
export type DeviceName = 'auto' | Device;
export type Device = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'coreml' | 'dml';

/** Device → execution provider of ONNX Runtime, and a hint for the case that it does not start. */
const PROVIDERS: Readonly<Record<Device, { provider: string; hint: string }>> = {
  cpu: { provider: 'cpu', hint: 'reinstall the dependencies: npm ci' },
  cuda: {
    provider: 'cuda',
    hint: 'it needs an NVIDIA driver, CUDA 12 with cuDNN 9, and the CUDA libraries of onnxruntime-node; or use --device auto',
  },
  tensorrt: {
    provider: 'tensorrt',
    hint: 'it needs TensorRT 10, CUDA 12 and the CUDA libraries of onnxruntime-node; or use --device auto',
  },
  webgpu: {
    provider: 'webgpu',
    hint: 'it needs a GPU with Vulkan, Metal or Direct3D 12; or use --device auto',
  },
  coreml: { provider: 'coreml', hint: 'it exists on macOS only; use --device auto' },
  dml: { provider: 'dml', hint: 'it exists on Windows only; use --device auto' },
};

type TensorType = 'uint8' | 'int64' | 'float32';
type TensorData = Uint8Array | BigInt64Array | Float32Array;

export interface InputTensor {
  readonly type: TensorType;
  /** Not on a SharedArrayBuffer: the native binding rejects those. */
  readonly data: TensorData;
  readonly dims: readonly number[];
}

export interface OutputTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Declaration of one input in a graph; a symbolic dimension is its name. */
export interface InputSpec {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

export interface SessionOptions {
  readonly device: Device;
  /** Threads inside one operator, ≥ 1. */
  readonly threads: number;
  /** Inputs that may have an empty dimension, such as the past of a decoder at its first run. Default: none. */
  readonly mayBeEmpty?: readonly string[];
  /**
   * Keeps freed memory for the next run. Off for graphs whose shapes grow from run to run: the arena never releases the
   * memory of a shape. Default true.
   */
  readonly arena?: boolean;
}

/** Returns the hint for a device that does not work. */
export function deviceHint(device: Device): string {
  return PROVIDERS[device].hint;
}

/** Returns true when the installed runtime contains the device's provider; the device may still fail on this machine. */
export function isDeviceBuiltIn(device: Device): boolean {
  return ort.listSupportedBackends().some((backend) => backend.name === PROVIDERS[device].provider);
}

/** One loaded model. `run` blocks its thread while it computes: use it in a worker or a child process. */
export class ModelSession implements AsyncDisposable {
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly string[];
  readonly #session: ort.InferenceSession;
  readonly #mayBeEmpty: ReadonlySet<string>;
  #closed = false;

  private constructor(session: ort.InferenceSession, mayBeEmpty: readonly string[]) {
    this.#session = session;
    this.#mayBeEmpty = new Set(mayBeEmpty);
    this.outputs = session.outputNames;
    this.inputs = session.inputMetadata.map((meta) => {
      if (!meta.isTensor) throw new PresageError('model_invalid', `input ${meta.name} is not a tensor`);
      return { name: meta.name, type: meta.type, shape: meta.shape };
    });
  }

  /**
   * @throws {PresageError} model_invalid — the file is not a model
   * @throws {PresageError} device_unavailable — the device does not start
   */
  static async open(path: string, options: SessionOptions): Promise<ModelSession> {
    const { provider, hint } = PROVIDERS[options.device];
    try {
      const session = await ort.InferenceSession.create(path, {
        executionProviders: [provider],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
        enableCpuMemArena: options.arena ?? true,
        enableMemPattern: options.arena ?? true,
        // Spinning threads occupy the cores of ffmpeg and the main thread: with one other busy process on two cores,
        // spinning halved the frame rate.
        extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
      });
      return new ModelSession(session, options.mayBeEmpty ?? []);
    } catch (thrown) {
      if (thrown instanceof PresageError) throw thrown;
      const message = firstLine(thrown);
      if (options.device !== 'cpu')
        throw new PresageError('device_unavailable', `${options.device} does not start: ${message}`, {
          cause: thrown,
          hint,
        });
      throw new PresageError('model_invalid', `${path} cannot be loaded: ${message}`, {
        cause: thrown,
        hint: 'check the file with: presage models verify',
      });
    }
  }

  /**
   * @param outputs names of the outputs to compute and return; all of them must be float32
   * @throws {PresageError} inference_failed — the model failed, or the feed does not have the graph's types and shapes
   */
  async run<K extends string>(
    feed: Readonly<Record<string, InputTensor>>,
    outputs: readonly K[],
  ): Promise<Record<K, OutputTensor>> {
    if (this.#closed) throw new PresageError('inference_failed', 'the model session is closed');
    checkFeed(this.inputs, feed, this.#mayBeEmpty);
    const tensors = Object.fromEntries(
      Object.entries(feed).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]),
    );
    let results: ort.InferenceSession.OnnxValueMapType;
    try {
      results = await this.#session.run(tensors, [...outputs]);
    } catch (thrown) {
      throw new PresageError('inference_failed', `the model failed: ${firstLine(thrown)}`, { cause: thrown });
    }
    const picked = {} as Record<K, OutputTensor>;
    for (const name of outputs) {
      const tensor = results[name];
      if (!tensor || !(tensor.data instanceof Float32Array))
        throw new PresageError('inference_failed', `output ${name} is not a float32 tensor`);
      picked[name] = { data: tensor.data, dims: tensor.dims };
    }
    return picked;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Compares a feed with the graph's declaration: names, element types, ranks, fixed dimensions, equal symbolic
 * dimensions, and the number of elements.
 *
 * @param mayBeEmpty inputs that may have an empty dimension
 * @throws {PresageError} inference_failed — the feed does not match
 */
export function checkFeed(
  specs: readonly InputSpec[],
  feed: Readonly<Record<string, InputTensor>>,
  mayBeEmpty: ReadonlySet<string> = new Set(),
): void {
  const symbols = new Map<string, number>();
  for (const spec of specs) {
    const tensor = feed[spec.name];
    if (!tensor) throw badFeed(spec.name, 'is missing');
    if (tensor.type !== spec.type) throw badFeed(spec.name, `is ${tensor.type}, expected ${spec.type}`);
    checkDims(spec, tensor.dims, symbols, mayBeEmpty.has(spec.name) ? 0 : 1);
    const count = tensor.dims.reduce((product, dim) => product * dim, 1);
    if (tensor.data.length !== count)
      throw badFeed(
        spec.name,
        `has ${tensor.data.length} elements, expected ${count} for [${tensor.dims.join(', ')}]`,
      );
  }
  const known = new Set(specs.map((spec) => spec.name));
  for (const name of Object.keys(feed))
    if (!known.has(name)) throw badFeed(name, 'is not an input of the model');
}

function checkDims(
  spec: InputSpec,
  dims: readonly number[],
  symbols: Map<string, number>,
  minDim: 0 | 1,
): void {
  const shape = `[${spec.shape.join(', ')}]`;
  if (dims.length !== spec.shape.length)
    throw badFeed(spec.name, `has ${dims.length} dimensions, expected ${shape}`);
  spec.shape.forEach((expected, axis) => {
    const dim = dims[axis] ?? -1;
    if (!Number.isInteger(dim) || dim < minDim)
      throw badFeed(spec.name, `has dimension ${dim} on axis ${axis}`);
    const required = typeof expected === 'number' ? expected : (symbols.get(expected) ?? dim);
    if (dim !== required)
      throw badFeed(spec.name, `is [${dims.join(', ')}], expected ${shape} with ${required} on axis ${axis}`);
    if (typeof expected === 'string') symbols.set(expected, dim);
  });
}

function badFeed(name: string, problem: string): PresageError {
  return new PresageError('inference_failed', `input ${name} ${problem}`);
}

/** Returns the runtime's message without the leading source position and the following lines. */
function firstLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const line = message.split('\n')[0] ?? message;
  return line.replace(/^\S+\.cc:\d+ .*? was false\. /, '');
}
