import type { PresageError } from '../core/errors.js';
import type { MessageSink } from '../transport/messages/encode.js';
import type { ClipOptions } from './clips/clips.js';
import type { OutputOptions } from './outputs/outputs.js';
import type { ListenOptions } from './server/service-server.js';
import type { StageOptions } from './session/stream-session.js';
import type { SharedModelsOptions } from './shared-models.js';
import type { RetentionOptions } from './storage.js';
import type { SourceOptions } from './streams/stream-plan.js';
import type { WebrtcOptions } from './webrtc/create-live-video-engine.js';

/** Options of a service. Every group of options is declared by the folder that uses it. */
export interface ServiceOptions {
  /** The data folder; created if it does not exist. */
  readonly data: string;
  /** Path of an ffmpeg program. Default: `ffmpeg-static`, then PATH, then `@ffmpeg-installer`. */
  readonly ffmpeg?: string | undefined;
  /** Level of the JSON log on standard error. Default `silent`. */
  readonly logLevel?: string | undefined;
  readonly keep?: RetentionOptions | undefined;
  readonly models?: SharedModelsOptions | undefined;
  readonly stages?: StageOptions | undefined;
  readonly sources?: SourceOptions | undefined;
  readonly clips?: ClipOptions | undefined;
  readonly outputs?: OutputOptions | undefined;
  /** The HTTP server. Without it the service has none. */
  readonly listen?: ListenOptions | undefined;
  /** Publishing and watching by WebRTC; needs `listen`. Default: off. */
  readonly webrtc?: WebrtcOptions | undefined;
  /** Streams created by the API are stored and reopened at the next start. Default false. */
  readonly keepStreams?: boolean | undefined;
  /** More receivers of the messages of all streams. Not closed by the service. */
  readonly sinks?: readonly MessageSink[] | undefined;
  /** Receives the name of each slow step of the start as it begins, such as `loading the detector`. */
  readonly onStep?: ((step: string) => void) | undefined;
  /** Receives errors that do not end the service. They are logged in any case. */
  readonly onError?: ((error: PresageError) => void) | undefined;
}
