import type { PresageError } from '../../core/errors.js';
import type { IceServer, LiveFrames, LiveVideoEngine } from '../../core/video/live-video.js';
import type { Ffmpeg } from '../../ingest/ffmpeg-binary.js';

/** Options of publishing (WHIP) and watching (WHEP) by WebRTC. */
export interface WebrtcOptions {
  /** `wrtc` decodes and encodes in this process, `mediasoup` forwards packets. Default `wrtc`. */
  readonly engine?: 'wrtc' | 'mediasoup' | 'off' | undefined;
  /** STUN and TURN servers, for both ends. Default: none. */
  readonly iceServers?: readonly IceServer[] | undefined;
  /** UDP ports of media. Default: any free port. */
  readonly ports?: { readonly min: number; readonly max: number } | undefined;
  /** Limit of publishers and viewers at once, for all streams. Default 32. */
  readonly sessions?: number | undefined;
}

const WEBRTC_DEFAULTS = { engine: 'wrtc', sessions: 32 } as const;

export interface EngineDeps {
  /** Frames of the streams, for viewers. */
  readonly frames: LiveFrames;
  readonly ffmpeg: Ffmpeg;
  /** Address of the HTTP server. */
  readonly host: string;
  /** A publisher without a frame for this long is disconnected, ms. */
  readonly stallMs: number;
  readonly onError: (error: PresageError) => void;
}

/** The configured engine; undefined where WebRTC is off. @throws PresageError when it cannot be opened */
export async function createLiveVideoEngine(
  options: WebrtcOptions,
  { frames, ffmpeg, host, stallMs, onError }: EngineDeps,
): Promise<LiveVideoEngine | undefined> {
  const { engine = WEBRTC_DEFAULTS.engine, iceServers = [], ports } = options;
  const maxSessions = options.sessions ?? WEBRTC_DEFAULTS.sessions;
  const common = { iceServers, ports, maxSessions, stallMs };
  switch (engine) {
    case 'off':
      return undefined;
    case 'mediasoup': {
      const { MediasoupEngine } = await import('../../ingest/mediasoup/mediasoup-engine.js');
      return MediasoupEngine.open({ ...common, ffmpeg, host, onError });
    }
    case 'wrtc': {
      const { WrtcEngine } = await import('../../ingest/webrtc/wrtc-engine.js');
      return WrtcEngine.open({ ...common, frames });
    }
  }
}
