/*
 * The one doorway to @roamhq/wrtc. Its own types lean on the DOM library, which has no place in a Node program: these are
 * the parts that we use. Loaded when the first engine opens, since it brings 60 MB and threads of its own.
 */

export interface SessionDescription {
  readonly type: 'offer' | 'answer';
  readonly sdp: string;
}

export interface MediaTrack {
  readonly kind: 'audio' | 'video';
  stop(): void;
}

export interface Transceiver {
  readonly mid: string | null;
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  readonly receiver: { readonly track: MediaTrack };
}

export interface DataChannel {
  readonly label: string;
  readonly readyState: 'connecting' | 'open' | 'closing' | 'closed';
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  send(text: string): void;
}

export interface PeerConnection {
  readonly connectionState: 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';
  readonly iceGatheringState: 'new' | 'gathering' | 'complete';
  readonly localDescription: SessionDescription | null;
  onconnectionstatechange: (() => void) | null;
  onicegatheringstatechange: (() => void) | null;
  ontrack: ((event: { readonly track: MediaTrack; readonly transceiver: Transceiver }) => void) | null;
  ondatachannel: ((event: { readonly channel: DataChannel }) => void) | null;
  setRemoteDescription(description: SessionDescription): Promise<void>;
  setLocalDescription(description: SessionDescription): Promise<void>;
  createAnswer(): Promise<SessionDescription>;
  addIceCandidate(candidate: { readonly candidate: string; readonly sdpMid: string }): Promise<void>;
  addTrack(track: MediaTrack): unknown;
  getTransceivers(): Transceiver[];
  close(): void;
}

/** A decoded picture, I420. */
export interface WrtcFrame {
  readonly width: number;
  readonly height: number;
  readonly rotation: number;
  readonly data: Uint8Array;
}

/** Emits the pictures of a track on the JavaScript thread. */
export interface VideoSink {
  onframe: ((event: { readonly frame: WrtcFrame }) => void) | null;
  stop(): void;
}

/** Encodes what it is given for every peer that its tracks were added to. */
export interface VideoSource {
  createTrack(): MediaTrack;
  /** Copies the pixels, which must not be on a SharedArrayBuffer. Their capture time is the wall clock's now. */
  onFrame(frame: { readonly width: number; readonly height: number; readonly data: Uint8Array }): void;
}

export interface PeerConfiguration {
  readonly iceServers: readonly {
    readonly urls: string;
    readonly username?: string;
    readonly credential?: string;
  }[];
  /** UDP ports for media. */
  readonly portRange?: { readonly min: number; readonly max: number };
}

export interface Wrtc {
  readonly RTCPeerConnection: new (configuration: PeerConfiguration) => PeerConnection;
  readonly nonstandard: {
    readonly RTCVideoSink: new (track: MediaTrack) => VideoSink;
    readonly RTCVideoSource: new () => VideoSource;
  };
}

/** What the prebuilt library encodes and decodes; it has no H.264. */
export const WRTC_CODECS: readonly string[] = ['VP8', 'VP9', 'AV1'];

let loaded: Promise<Wrtc> | undefined;

export function loadWrtc(): Promise<Wrtc> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Wrtc> {
  const module = (await import('@roamhq/wrtc')) as unknown as { readonly default: Wrtc };
  // The library crashes while Node takes down its environment (as of 0.10.0), which `exit` leaves out.
  process.once('beforeExit', () => process.exit());
  return module.default;
}
