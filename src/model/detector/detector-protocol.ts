import type { AnalysisRequest, FrameAnalysis } from '../perception/frame-analyzer.js';

/** What a worker is asked. Pixels are a view on shared memory, so nothing is copied on the way. */
export type DetectorWork =
  | {
      readonly type: 'detect';
      readonly pixels: Uint8Array<SharedArrayBuffer>;
      readonly width: number;
      readonly height: number;
      readonly request: AnalysisRequest;
    }
  /** Grids of the last seconds, see `SceneEncoder`. */
  | { readonly type: 'clip'; readonly grids: Float32Array };

export interface DetectorAnswer extends FrameAnalysis {
  readonly inferenceMs: number;
}

export interface SceneAnswer {
  /** Absent where there is no clip model. */
  readonly embedding?: Float32Array;
}

/** What a worker then answers. */
export type AnswerTo<W extends DetectorWork> = W extends { type: 'clip' } ? SceneAnswer : DetectorAnswer;
