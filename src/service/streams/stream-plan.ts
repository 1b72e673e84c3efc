import type { Places } from '../../core/memory.js';
import type { Source } from '../../core/source.js';
import type { DraftSink } from '../session/draft-sink.js';

/** Options of the sources of all streams. */
export interface SourceOptions {
  /** Transport of RTSP streams. Default `tcp`. */
  readonly rtspTransport?: 'tcp' | 'udp' | undefined;
  /** A stream without a frame for this long is reconnected, s. Default 10. */
  readonly stallS?: number | undefined;
}

export const SOURCE_DEFAULTS = { rtspTransport: 'tcp', stallS: 10 } as const;

/** Opens a source. @param startS media time of its first frame, s */
export type OpenStreamSource = (startS: number) => Source;

/** Configuration of one stream of a service. */
export interface StreamPlan {
  readonly id: string;
  /** An address or a file; with `open`, the name of the source. */
  readonly source: string;
  /** Opens the source instead of the built-in readers. It is called again when the stream restarts. */
  readonly open?: OpenStreamSource | undefined;
  readonly places: Places;
  readonly rtspTransport?: SourceOptions['rtspTransport'];
  readonly loop?: boolean | undefined;
  /** Origin of the stream. Adding a stream of the `command` fails if its source cannot be opened; others fail on their own. */
  readonly origin: 'config' | 'api' | 'command';
  /** The source is not read; memory and messages are kept. */
  readonly paused?: boolean | undefined;
  /** Receives the frames and drafts of the stream. */
  readonly sink?: DraftSink | undefined;
}
