/** A picture and the moment it shows. */
export interface Picture {
  /** Media time, s. */
  readonly t: number;
  readonly image: ImageBitmap | HTMLVideoElement;
  readonly width: number;
  readonly height: number;
}

export interface PictureSink {
  picture(picture: Picture): void;
  /** No pictures come at present; the feed tries again by itself. */
  lost(reason: string): void;
}

/** Where the pictures of a stream come from. */
export interface PictureFeed {
  readonly kind: 'mjpeg' | 'whep';
  close(): void;
}
