import { PresageError } from '../core/errors.js';
import type { Places } from '../core/memory.js';
import type { Explainer } from '../core/reasoner.js';
import type { Expert } from '../reasoner/forecast/expert.js';
import type { ServiceOptions } from '../service/service-options.js';
import type { DraftSink } from '../service/session/draft-sink.js';
import type { SharedModelsOptions } from '../service/shared-models.js';
import type { OpenStreamSource, StreamPlan } from '../service/streams/stream-plan.js';

/** Options of an embedded agent. */
export interface AgentOptions extends Omit<ServiceOptions, 'data' | 'models'> {
  /** The data folder; created if it does not exist. Default `.presage` in the working folder. */
  readonly data?: string | undefined;
  /** Options of the built-in perception, or a perception to use instead. It stays open when the agent closes. */
  readonly perception?: SharedModelsOptions['perception'];
  /** Mode, models and language-model server of the reasoner. */
  readonly reasoner?: SharedModelsOptions['reasoner'];
  /** Additional experts of the forecast; the mixture weights them by their past predictions. */
  readonly experts?: readonly Expert[] | undefined;
  /** Replaces the explainer of the reasoner's mode. When it fails, the rules explain. */
  readonly explainer?: Explainer | undefined;
  /** Recent video that each stream stores for inspections and pictures. */
  readonly video?: SharedModelsOptions['video'];
  /** Aborts the opening of the agent. */
  readonly signal?: AbortSignal | undefined;
}

/** A stream to add to an agent. */
export interface StreamOptions {
  /** Letters, digits, `.`, `_` and `-`, at most 64. */
  readonly id: string;
  /** An address, a file, or a function that opens a source of your own. It is called again when the stream restarts. */
  readonly source: string | OpenStreamSource;
  /** Polygons by name, points in frame fractions. */
  readonly zones?: Places['zones'] | undefined;
  /** Lines by name, points in frame fractions. */
  readonly lines?: Places['lines'] | undefined;
  /** Play a file again and again. Default false. */
  readonly loop?: boolean | undefined;
  /** Transport of an RTSP source. Default: that of the agent. */
  readonly rtspTransport?: StreamPlan['rtspTransport'];
  /** Receives the frames and drafts of the stream. A method that throws ends the stream. */
  readonly sink?: DraftSink | undefined;
}

const AGENT_KEYS: Record<keyof AgentOptions, true> = {
  data: true,
  ffmpeg: true,
  logLevel: true,
  keep: true,
  stages: true,
  sources: true,
  clips: true,
  outputs: true,
  listen: true,
  webrtc: true,
  keepStreams: true,
  sinks: true,
  onStep: true,
  onError: true,
  perception: true,
  reasoner: true,
  experts: true,
  explainer: true,
  video: true,
  signal: true,
};

const STREAM_KEYS: Record<keyof StreamOptions, true> = {
  id: true,
  source: true,
  zones: true,
  lines: true,
  loop: true,
  rtspTransport: true,
  sink: true,
};

/** @throws {PresageError} bad_option — an option that does not exist */
export function checkAgentOptions(options: AgentOptions): void {
  assertKnown('openAgent', options, AGENT_KEYS);
}

/** @throws {PresageError} bad_option — an option that does not exist, or no id or source */
export function checkStreamOptions(options: StreamOptions): void {
  assertKnown('addStream', options, STREAM_KEYS);
  const { id, source } = options as { readonly id: unknown; readonly source: unknown };
  if (typeof id !== 'string' || id === '') throw missing('id', 'a name such as "cam1"');
  if ((typeof source !== 'string' || source === '') && typeof source !== 'function')
    throw missing('source', 'an address, a file, or a function that opens a source');
}

/** @throws {PresageError} bad_option — an option that does not exist */
export function assertKnown(where: string, options: object, known: object): void {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  throw new PresageError('bad_option', `${where}: unknown option "${unknown}"`, {
    hint: `known options: ${Object.keys(known).join(', ')}`,
  });
}

function missing(option: string, expected: string): PresageError {
  return new PresageError(
    'bad_option',
    `addStream: option "${option}" is missing or invalid, expected ${expected}`,
  );
}
