/** One picture of a stream for people. */
export interface ViewPicture {
  /** Media time of the frame it shows, s. */
  readonly t: number;
  readonly jpeg: Uint8Array;
}

export interface ViewParameters {
  /** With what the agent sees and expects drawn over it. */
  readonly annotated: boolean;
  /** Most pictures per second of media time. */
  readonly fps: number;
}

export interface ViewWatcher {
  /** Called with the newest picture that there is, and then with each one that is due. */
  readonly next: (picture: ViewPicture) => void;
  /** The stream has ended; nothing follows. */
  readonly end: () => void;
}

/** The pictures of one stream, as viewers see it. Whoever runs the stream makes them, once for all viewers. */
export interface StreamView {
  /** Begins to watch. @returns what stops it */
  watch(wish: ViewParameters, watcher: ViewWatcher): () => void;
  /** The newest picture, or the one nearest to a media time; undefined where none is kept. */
  still(t: number | undefined): Promise<ViewPicture | undefined>;
}

/** Turns JPEGs into fragmented MP4 as they come. */
export interface VideoEncoder {
  /** False when it has not taken the one before: this one is left out. */
  write(jpeg: Uint8Array): boolean;
  /** Idempotent. */
  close(): void;
}

export interface VideoEncoderSink {
  readonly data: (chunk: Uint8Array) => void;
  /** It has ended, by itself or because it was closed. */
  readonly end: () => void;
}
