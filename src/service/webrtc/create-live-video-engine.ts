import type { PresageError } from '../../core/errors.js';
import type { LiveFrames, LiveVideoEngine } from '../../core/video/live-video.js';
import { findFfmpeg } from '../../ingest/ffmpeg-binary.js';
import type { Settings } from '../../cli/options/option-table.js';

export interface EngineDeps {
  /** The frames of the streams, for viewers. */
  readonly frames: LiveFrames;
  readonly onError: (error: PresageError) => void;
}

/** The engine that the settings name; undefined where WebRTC is off. @throws PresageError when it cannot be opened */
export async function createLiveVideoEngine(
  settings: Settings,
  parts: EngineDeps,
): Promise<LiveVideoEngine | undefined> {
  switch (settings.webrtc) {
    case 'off':
      return undefined;
    case 'mediasoup': {
      const { MediasoupEngine } = await import('../../ingest/mediasoup/mediasoup-engine.js');
      return MediasoupEngine.open({
        ffmpeg: await findFfmpeg({ path: settings.ffmpeg }),
        host: settings.host,
        iceServers: settings.iceServers,
        ports: settings.webrtcPorts,
        maxSessions: settings.webrtcSessions,
        stallMs: settings.stall * 1000,
        onError: parts.onError,
      });
    }
    case 'wrtc': {
      const { WrtcEngine } = await import('../../ingest/webrtc/wrtc-engine.js');
      return WrtcEngine.open({
        frames: parts.frames,
        iceServers: settings.iceServers,
        ports: settings.webrtcPorts,
        maxSessions: settings.webrtcSessions,
        stallMs: settings.stall * 1000,
      });
    }
  }
}
