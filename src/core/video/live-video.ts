import type { EncodedSink } from './encoded-video.js';
import type { Frame } from './frame.js';
import type { Source } from '../source.js';

/*
 * Interface between the signalling of src/transport and the WebRTC engines of src/ingest. WHIP is RFC 9725; WHEP is
 * draft-ietf-wish-whep. SDP is RFC 8866 text, trickled ICE an `application/trickle-ice-sdpfrag` (RFC 8840).
 */

/** A WebRTC session after offer and answer. */
export interface LiveSession {
  /** Unguessable; part of the session's address. */
  readonly id: string;
  readonly streamId: string;
  readonly kind: 'publish' | 'view';
  /** SDP answer. */
  readonly answer: string;
  /** Strong entity tag of the present ICE session, quotes included; changes with an ICE restart. */
  readonly etag: string;
  /**
   * Adds trickled candidates, or restarts ICE when the fragment contains a new ufrag and password.
   * @returns the fragment of the response to a restart; undefined for plain candidates
   * @throws {PresageError} bad_request — the fragment is malformed
   */
  trickle(fragment: string): Promise<string | undefined>;
  /** Resolves with the reason when the session has ended: closed by either side, ICE failed, or connection timed out. */
  readonly closed: Promise<string>;
  /** Idempotent. */
  close(reason: string): Promise<void>;
}

/** A STUN or TURN server, sent to clients in `Link` headers (RFC 9725, section 4.6). */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

export interface PublishedOptions {
  /** Media time of the first frame, s. */
  readonly startS: number;
  /** Receives the encoded video, from engines that have it. */
  readonly encoded?: EncodedSink | undefined;
}

/** A WebRTC implementation: `wrtc` decodes in this process, `mediasoup` routes. */
export interface LiveVideoEngine extends AsyncDisposable {
  readonly name: 'wrtc' | 'mediasoup';
  readonly iceServers: readonly IceServer[];
  /**
   * Accepts a publisher of the stream. The source of that stream (`openPublished`) emits its frames; a new publisher replaces
   * the present one.
   * @throws {PresageError} bad_request — the SDP is malformed or has no video
   * @throws {PresageError} codec_unsupported, overloaded
   */
  publish(streamId: string, offer: string): Promise<LiveSession>;
  /**
   * Sends a stream to a viewer.
   * @throws {PresageError} source_unreachable — there is no picture yet
   * @throws {PresageError} bad_request, codec_unsupported, overloaded — as in `publish`
   */
  view(streamId: string, offer: string): Promise<LiveSession>;
  /**
   * Opens the source of a stream that is published to this engine. It waits (`connecting`, then `reconnecting`) while there is
   * no publisher, continues with the next one at any resolution and frame rate, and never completes by itself.
   */
  openPublished(streamId: string, options: PublishedOptions): Source;
}

/** The frames of every stream as they leave its source; an engine sends them when it has no pictures of its own. */
export interface LiveFrames {
  /** Returns true when a frame arrived within the last seconds. */
  flowing(streamId: string): boolean;
  /**
   * Calls `onFrame` with each frame from now on; a frame is valid during the call only, unless it is retained.
   * @returns a function that stops the calls
   */
  watch(streamId: string, onFrame: (frame: Frame) => void): () => void;
}
