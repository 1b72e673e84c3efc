import type { EncodedSink } from './encoded-video.js';
import type { Frame } from './frame.js';
import type { Source } from '../source.js';

/*
 * Live video over WebRTC, as the signalling of src/transport sees the engines of src/ingest. WHIP is RFC 9725; WHEP is
 * draft-ietf-wish-whep. SDP is RFC 8866 text, trickled ICE an `application/trickle-ice-sdpfrag` (RFC 8840).
 */

/** One WebRTC session: an offer that was answered. */
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
   * Takes trickled candidates, or restarts ICE where the fragment brings a new ufrag and password.
   * @returns the fragment to answer a restart with; undefined for plain candidates
   * @throws PresageError `bad_request`
   */
  trickle(fragment: string): Promise<string | undefined>;
  /** Resolves when the session has ended, with why: closed by whoever, ICE failed, or never connected in time. */
  readonly closed: Promise<string>;
  /** Idempotent. */
  close(reason: string): Promise<void>;
}

/** STUN or TURN, told to clients as `Link` headers (RFC 9725, section 4.6). */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

export interface PublishedOptions {
  /** Media time of its first frame, s. */
  readonly startS: number;
  /** Takes the video as it is encoded, from engines that have it. */
  readonly encoded?: EncodedSink | undefined;
}

/** A WebRTC implementation: `wrtc` decodes in this process, `mediasoup` routes. */
export interface LiveVideoEngine extends AsyncDisposable {
  readonly name: 'wrtc' | 'mediasoup';
  readonly iceServers: readonly IceServer[];
  /**
   * Takes a publisher of the stream. Its frames come out of the source of that stream (`openPublished`); a publisher that
   * comes while another one is there takes its place.
   * @throws PresageError `bad_request` (malformed SDP, no video), `codec_unsupported`, `overloaded`
   */
  publish(streamId: string, offer: string): Promise<LiveSession>;
  /** Shows a stream to a viewer. @throws PresageError as `publish`, `source_unreachable` while there is no picture */
  view(streamId: string, offer: string): Promise<LiveSession>;
  /**
   * The source of a stream that is published to this engine. It waits (`connecting`, then `reconnecting`) while nobody
   * publishes, carries on with the next publisher, whatever its resolution and frame rate, and never completes by itself.
   */
  openPublished(streamId: string, options: PublishedOptions): Source;
}

/** The frames of every stream as they leave its source, whatever that is: what an engine without pictures of its own shows. */
export interface LiveFrames {
  /** Whether a frame came within the last seconds. */
  flowing(streamId: string): boolean;
  /**
   * Tells each frame from now on; it is valid during the call only, unless it is retained.
   * @returns what stops it
   */
  watch(streamId: string, onFrame: (frame: Frame) => void): () => void;
}
