import type { PresageError } from '../../core/errors.js';
import type { StreamState } from '../../core/messages.js';
import type { PerceptionInfo } from '../../core/percept.js';
import type { VideoFormat } from '../../core/source.js';

/** What `/healthz` and `/v1/streams` tell of a stream. Whoever runs the stream fills it. */
export interface StreamStatus {
  readonly id: string;
  /** The source's address without credentials. */
  readonly source: string;
  readonly state: StreamState['state'];
  readonly reason?: string | undefined;
  /** Where it was made: in presage.yaml, by the API, or by the command that was started. */
  readonly origin?: 'config' | 'api' | 'command';
  readonly paused?: boolean;
  readonly format?: VideoFormat | undefined;
  readonly processedFps?: number;
  /** Media time of the newest percept, s. */
  readonly mediatime?: number;
  /** How much is done for each frame: `full`, or what the load has taken away. */
  readonly stage?: string;
  /** Forecasts told, and those of them told without a model that should have had a say. */
  readonly forecasts?: { readonly issued: number; readonly degraded: number } | undefined;
  /** Frames dropped before perception, by reason. */
  readonly drops?: Readonly<Record<string, number>>;
  readonly reconnects?: number;
}

/** What `/healthz` tells of the process. */
interface ServiceStatus {
  readonly version: string;
  readonly perception?: Pick<PerceptionInfo, 'model' | 'device'> & Partial<PerceptionInfo>;
  /** Anything else worth telling, by name: a language model in use, its state. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Injected into the server; called per request, so it must be quick. */
export interface StatusProviders {
  service(): ServiceStatus;
  streams(): readonly StreamStatus[];
  /** Why messages cannot be stored now, such as a full disk; undefined when they can. */
  storageFailure?(): PresageError | undefined;
}

/** `ok`: every stream delivers or has ended well, and messages can be stored; `degraded` otherwise. */
export function overall(status: StatusProviders): 'ok' | 'degraded' {
  const isTroubled = status
    .streams()
    .some(({ state }) => ['degraded', 'reconnecting', 'failed'].includes(state));
  return isTroubled || status.storageFailure?.() ? 'degraded' : 'ok';
}

/** Why the service is not ready; undefined when messages can be stored and a stream delivers or has delivered all of its file. */
export function notReadyBecause(status: StatusProviders): 'storage_failed' | 'no_stream' | undefined {
  if (status.storageFailure?.()) return 'storage_failed';
  const delivers = status
    .streams()
    .some(({ state }) => state === 'live' || state === 'degraded' || state === 'ended');
  return delivers ? undefined : 'no_stream';
}
