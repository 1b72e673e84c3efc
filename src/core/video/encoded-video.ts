/*
 * Video as its camera encoded it, beside the pictures that were decoded from it: what clips are cut from. Times of both are
 * told by the same ffmpeg child, so that a picture and the encoded frame that it came from have the same presentation time.
 */

/** One encoded frame, in decoding order. */
export interface EncodedFrame {
  /** Presentation time within its run, ms. */
  readonly ms: number;
  readonly data: Uint8Array;
}

/** A key frame and the frames up to the next one. */
export interface EncodedGop {
  /** Names the life of the decoder that it came from: frames of different runs do not fit together. */
  readonly run: string;
  /** As Matroska names it, such as `V_VP8` or `V_MPEG4/ISO/AVC`. */
  readonly codec: string;
  /** What stands before the frames in a Matroska file. */
  readonly header: Uint8Array;
  /** Media time of the key frame, s. */
  readonly t: number;
  /** Media time of the last frame shown, s. */
  readonly end: number;
  readonly frames: readonly EncodedFrame[];
  readonly bytes: number;
}

/** Takes encoded video as it comes. Never blocks, never throws. */
export interface EncodedSink {
  /** A decoder begins: Matroska of its own follows. */
  begin(): EncodedSinkRun;
}

export interface EncodedSinkRun {
  push(chunk: Uint8Array): void;
  /**
   * Tells the media time of a decoded picture.
   * @param pts presentation time within the run, s
   * @param t media time, s
   */
  picture(pts: number, t: number): void;
  /** Nothing follows. Idempotent. */
  end(): void;
}
