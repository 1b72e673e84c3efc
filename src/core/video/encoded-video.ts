/*
 * The video as its camera encoded it, from which clips are cut. The same ffmpeg child gives the times of the encoded and of
 * the decoded frames, so that a picture and the encoded frame that it came from have the same presentation time.
 */

/** One encoded frame, in decoding order. */
export interface EncodedFrame {
  /** Presentation time within its run, ms. */
  readonly ms: number;
  readonly data: Uint8Array;
}

/** A key frame and the frames up to the next one. */
export interface EncodedGop {
  /** Id of the decoder run: frames of different runs cannot be joined. */
  readonly run: string;
  /** Matroska codec id, such as `V_VP8` or `V_MPEG4/ISO/AVC`. */
  readonly codec: string;
  /** The bytes before the frames in a Matroska file. */
  readonly header: Uint8Array;
  /** Media time of the key frame, s. */
  readonly t: number;
  /** Media time of the last frame shown, s. */
  readonly end: number;
  readonly frames: readonly EncodedFrame[];
  readonly bytes: number;
}

/** Receives encoded video as it arrives. Its methods never block and never throw. */
export interface EncodedSink {
  /** Starts a decoder run; its chunks form a Matroska stream of their own. */
  begin(): EncodedSinkRun;
}

export interface EncodedSinkRun {
  push(chunk: Uint8Array): void;
  /**
   * Reports the media time of a decoded picture.
   * @param pts presentation time within the run, s
   * @param t media time, s
   */
  picture(pts: number, t: number): void;
  /** Ends the run. Idempotent. */
  end(): void;
}
