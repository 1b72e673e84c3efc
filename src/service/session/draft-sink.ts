import type { Draft } from '../../core/messages.js';
import type { Frame } from '../../core/video/frame.js';

/**
 * Receives what one stream produces. A session calls its sinks in their order and synchronously. A method that throws
 * ends the stream.
 */
export interface DraftSink {
  /** Receives each processed frame before its drafts. The frame is valid during the call only. */
  addFrame?(frame: Frame): void;
  add?(draft: Draft): void;
  /** Called after the drafts of a frame. The pipeline waits for the promise; the frame is valid until it settles. */
  afterFrame?(frame: Frame): void | Promise<void>;
  /** Called once after the source has ended: resolves when everything received is stored. */
  settle?(): Promise<void>;
}
