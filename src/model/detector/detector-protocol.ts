import type { AnalysisRequest, FrameAnalysis } from '../perception/frame-analyzer.js';

/** A request to a worker. Pixels are a view on shared memory, so that sending does not copy them. */
export type DetectorWork =
  | {
      readonly type: 'detect';
      readonly pixels: Uint8Array<SharedArrayBuffer>;
      readonly width: number;
      readonly height: number;
      readonly request: AnalysisRequest;
    }
  /** Grids of the last seconds, see `SceneEncoder`. */
  | { readonly type: 'scene'; readonly grids: Float32Array };

export interface DetectorAnswer extends FrameAnalysis {
  readonly inferenceMs: number;
}

export interface SceneAnswer {
  /** Absent where there is no scene encoder. */
  readonly embedding?: Float32Array;
}

/** The answer of a worker to a request. */
export type AnswerTo<W extends DetectorWork> = W extends { type: 'scene' } ? SceneAnswer : DetectorAnswer;
