/**
 * The learned models of the reasoner: implemented in `src/model` over ONNX Runtime, used by `src/reasoner`. Names,
 * shapes and units are those of docs/fused-model.md. All methods leave the calling thread free; they reject with
 * PresageError (`inference_failed`, `worker_crashed`, `overloaded`, `interrupted` when closed), or with the signal's reason
 * when it aborts.
 */

/** Tracks on the 10 Hz grid, row-major. Lengths in frame heights. */
export interface TrackTensors {
  /** Objects, 1–48. */
  readonly count: number;
  /** Steps, newest last. */
  readonly steps: number;
  /** [count, steps, 4]: x, y, w, h; 0 where not in view. */
  readonly boxes: Float32Array;
  /** [count, steps]: 1 in view, 0 not. */
  readonly seen: Float32Array;
  /** [count]: 0 person, 1 vehicle, 2 animal, 3 other. */
  readonly kinds: readonly number[];
  /** [count]: s since the object was first seen, 0–60. */
  readonly ages: Float32Array;
  /** Width / height of the frame. */
  readonly aspect: number;
}

export interface LearnedForecast {
  /** [count, 5, 6]: probability that the first exit, stop, start_moving, turn, loiter falls into each bin. */
  readonly single: Float32Array;
  /** [count, count, 2, 6]: the same for meet and collide, symmetric. */
  readonly pair: Float32Array;
  /** [count, 6, 30, 3]: x, y, standard deviation, 10 Hz. */
  readonly paths: Float32Array;
  /** [count, 6]: probabilities of the six paths. */
  readonly modes: Float32Array;
}

export interface ForecastModel extends AsyncDisposable {
  /** Name from `models/manifest.json` and the first digits of the file's hash. */
  readonly name: string;
  forecast(tracks: TrackTensors, signal?: AbortSignal): Promise<LearnedForecast>;
  close(): Promise<void>;
}

/** One event and the tracks of the 10 s around it. */
export interface CauseQuery {
  readonly tracks: TrackTensors;
  /** Index in EVENT_TYPES. */
  readonly event: number;
  /** [count]: 1 first participant, 2 second, 0 other. */
  readonly roles: readonly number[];
  /** [count, count, 2]: confidence of the newest contact reported before the event, and its seconds before the event. */
  readonly contacts: Float32Array;
}

export interface CauseModel extends AsyncDisposable {
  readonly name: string;
  /** [count]: P(without this object the event does not happen). */
  necessary(query: CauseQuery, signal?: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Visual input of the fusion core. */
export interface VisualTokens {
  readonly tracks: TrackTensors;
  /** [count]: 0–47, the number in `#1` … `#48` minus one. */
  readonly slots: readonly number[];
  /** [count, 256]: appearances; 0 where there is none. */
  readonly appearances: Float32Array;
  /** Up to 24 scene embeddings of 256 numbers, newest last. */
  readonly scenes: readonly { readonly ageS: number; readonly embedding: Float32Array }[];
}

/**
 * The texts that an answer may have, as a deterministic automaton: for each state the allowed pieces of text and the states
 * they lead to. A state without edges ends the answer. Pieces of one state must not be prefixes of each other. Each piece is
 * tokenised by itself, so a piece begins with a space or a line break where the whole text would be split there.
 */
export interface AnswerGrammar {
  readonly start: number;
  readonly states: readonly (readonly { readonly text: string; readonly to: number }[])[];
}

export interface LanguageRequest {
  /** Undefined: no visual prefix (32 zero vectors are not the same). */
  readonly visual: VisualTokens | undefined;
  /** Text after the prefix. Requests with the same prefix and the same lines but the last reuse their keys and values. */
  readonly prompt: string;
}

/** A language model with a visual prefix. It handles one request at a time; the others wait in order, bounded. */
export interface LanguageModel extends AsyncDisposable {
  readonly name: string;
  /** Returns the distribution over the digits `0` to `9` after each continuation of the prompt, [continuations, 10]. */
  scoreDigits(
    request: LanguageRequest,
    continuations: readonly string[],
    signal?: AbortSignal,
  ): Promise<Float32Array>;
  /** Decodes an answer under a grammar greedily; `logProbability` is relative to the allowed pieces. */
  complete(
    request: LanguageRequest,
    grammar: AnswerGrammar,
    signal?: AbortSignal,
  ): Promise<{ readonly text: string; readonly logProbability: number }>;
  close(): Promise<void>;
}
