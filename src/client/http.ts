import { ClientError, type ClientErrorCode } from './client-error.js';
import type { Answer, Explanation, Message, ObservedEvent, Prediction, ResolvedPrediction } from './types.js';
import type { MessageOf } from './types.js';
import type { ReportedInspection } from '../core/messages.js';

/** Longest wait for an answer, ms; a look or a question to a language model can take seconds. */
const TIMEOUT_MS = 30_000;

/** A point in fractions of the frame, 0–1. */
export type Point = readonly [x: number, y: number];
/** Zones and lines by name, in fractions of the frame. */
export interface Places {
  readonly zones: Readonly<Record<string, readonly Point[]>>;
  readonly lines: Readonly<Record<string, readonly [Point, Point]>>;
}

/** A stream as the service describes it; it may tell more. */
export interface StreamInfo {
  readonly id: string;
  readonly source: string;
  readonly state: 'connecting' | 'live' | 'degraded' | 'reconnecting' | 'ended' | 'failed' | 'paused';
  readonly reason?: string;
  readonly format?: {
    readonly width: number;
    readonly height: number;
    readonly fps: number;
    readonly codec: string;
  };
  readonly processedFps?: number;
  /** Media time of the newest frame, s. */
  readonly mediatime?: number;
  readonly stage?: string;
  readonly drops?: Readonly<Record<string, number>>;
  readonly reconnects?: number;
  /** Ten digits; null when nothing is kept. */
  readonly firstSequence: string | null;
  readonly lastSequence: string | null;
}

/** A stream to create. */
export interface NewStream extends Partial<Places> {
  readonly id: string;
  /** File, rtsp://…, http(s)://…, webcam:…, or `webrtc:` for one that is published by WHIP. */
  readonly source: string;
  readonly rtspTransport?: 'tcp' | 'udp';
  readonly loop?: boolean;
  readonly paused?: boolean;
}
/** Changes of a stream; absent fields keep their value. */
export type StreamChange = Partial<Places> & { readonly paused?: boolean; readonly source?: string };

/** Filter of a search in the log of a stream. All given fields must match. */
export interface Search {
  /** Media seconds. */
  readonly from?: number;
  readonly to?: number;
  readonly type?: string;
  readonly object?: string;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly before?: string | number;
}
/** One page of the results of a search, newest first. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Give it as `before` for the next page; absent on the last one. */
  readonly next?: string | number;
}
/** What a search finds: the data of a message with its place in the stream. */
export type Found<T> = T & { readonly sequence: string; readonly mediatime: number; readonly time?: string };

/** A moment `t` or a span `from`–`to` (media s), and a region in fractions of the frame. Default: the whole frame. */
export interface InspectionRequestInput {
  readonly t?: number;
  readonly from?: number;
  readonly to?: number;
  readonly region?: readonly [x: number, y: number, width: number, height: number];
}

export interface HttpOptions {
  /** Address of the service, without a path behind it. */
  readonly base: URL;
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** Typed calls of the HTTP API. All reject with `ClientError`, whose `code` is that of the service's answer. */
export class HttpClient {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** All streams of the service. @throws {ClientError} */
  async streams(): Promise<readonly StreamInfo[]> {
    return (await this.#call<{ streams: readonly StreamInfo[] }>('GET', '/v1/streams')).streams;
  }

  /** One stream. @throws {ClientError} `not_found` */
  stream(id: string): Promise<StreamInfo> {
    return this.#call('GET', streamPath(id));
  }

  /** Creates a stream and starts it unless it is paused. @throws {ClientError} `conflict`, `forbidden`, `bad_option` */
  createStream(stream: NewStream): Promise<StreamInfo> {
    return this.#call('POST', '/v1/streams', stream);
  }

  /** Changes a stream. @throws {ClientError} `not_found` */
  changeStream(id: string, change: StreamChange): Promise<StreamInfo> {
    return this.#call('PATCH', streamPath(id), change);
  }

  /** Removes a stream. Its messages stay in the log of the service. */
  async deleteStream(id: string): Promise<void> {
    await this.#call('DELETE', streamPath(id));
  }

  /** The zones and lines of a stream. @throws {ClientError} `not_found` */
  places(id: string): Promise<Places> {
    return this.#call('GET', streamPath(id, 'places'));
  }

  /** Replaces the zones and lines of a stream. @throws {ClientError} `not_found`, `bad_request` */
  setPlaces(id: string, places: Places): Promise<Places> {
    return this.#call('PUT', streamPath(id, 'places'), places);
  }

  /** Events of a stream, newest first. @throws {ClientError} `not_found` */
  events(
    id: string,
    search: Search = {},
  ): Promise<Page<Found<{ event: ObservedEvent; observedAt: number }>>> {
    return this.#call('GET', streamPath(id, 'events') + queryOf(search));
  }

  /** An event with what is known about it. */
  event(id: string, eventId: string): Promise<Found<{ event: ObservedEvent; observedAt: number }>> {
    return this.#call('GET', streamPath(id, 'events', eventId));
  }

  /** Predictions of a stream with their outcomes, newest first. @throws {ClientError} `not_found` */
  predictions(
    id: string,
    search: Search = {},
  ): Promise<Page<Found<{ prediction: Prediction | ResolvedPrediction }>>> {
    return this.#call('GET', streamPath(id, 'predictions') + queryOf(search));
  }

  /** Explanations of a stream, newest first. @throws {ClientError} `not_found` */
  explanations(id: string, search: Search = {}): Promise<Page<Found<{ explanation: Explanation }>>> {
    return this.#call('GET', streamPath(id, 'explanations') + queryOf(search));
  }

  /** Present and past objects and their relations; the form is that of the service's OpenAPI document. */
  objects(id: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#call('GET', streamPath(id, 'objects'));
  }

  /** Answers a question about a stream. @throws {ClientError} `bad_request` when the question is not understood */
  async ask(id: string, question: string): Promise<Answer> {
    return (await this.#call<{ data: Answer }>('POST', streamPath(id, 'ask'), { question })).data;
  }

  /** Runs the detector on the recent video. @throws {ClientError} `not_kept`, `overloaded` */
  async inspect(id: string, wish: InspectionRequestInput): Promise<readonly ReportedInspection[]> {
    const answer = await this.#call<{ data: { inspections: readonly ReportedInspection[] } }>(
      'POST',
      streamPath(id, 'inspect'),
      wish,
    );
    return answer.data.inspections;
  }

  /** The latest scorecard; rejects with `not_found` before the first. */
  scorecard(id: string): Promise<MessageOf<'scorecard.updated'>> {
    return this.#call<Message & MessageOf<'scorecard.updated'>>('GET', streamPath(id, 'scorecard'));
  }

  /** The status of the service (`/healthz`); the form is that of its OpenAPI document. */
  health(): Promise<Readonly<Record<string, unknown>>> {
    return this.#call('GET', '/healthz');
  }

  /** JPEG of who took part in an event, or of a look. The token, if any, is part of the address. */
  evidenceUrl(id: string, eventId: string): string {
    return this.#url(streamPath(id, 'evidence', eventId), true).href;
  }

  /** MP4 of the moments around an event. */
  clipUrl(id: string, eventId: string): string {
    return this.#url(`${streamPath(id, 'clips', eventId)}.mp4`, true).href;
  }

  /** Live pictures for an `img`, at most `fps` a second. */
  mjpegUrl(id: string, options: { readonly annotated?: boolean; readonly fps?: number } = {}): string {
    return this.#url(streamPath(id, 'video.mjpeg') + viewQuery(options), true).href;
  }

  /** Live video as fragmented MP4. */
  mp4Url(id: string, options: { readonly annotated?: boolean } = {}): string {
    return this.#url(streamPath(id, 'video.mp4') + viewQuery(options), true).href;
  }

  /** The newest picture as JPEG. */
  frameUrl(id: string): string {
    return this.#url(streamPath(id, 'frame.jpg'), true).href;
  }

  #url(path: string, withToken = false): URL {
    const url = new URL(this.#options.base.pathname.replace(/\/+$/, '') + path, this.#options.base);
    const { token } = this.#options;
    if (withToken && token !== undefined) url.searchParams.set('access_token', token);
    return url;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { token, fetch: given } = this.#options;
    const url = this.#url(path);
    let answer: Response;
    let text: string;
    try {
      answer = await (given ?? fetch)(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await answer.text();
    } catch (cause) {
      throw new ClientError('unreachable', `${url.origin} does not answer: ${reasonOf(cause)}`, {
        cause,
        retryable: true,
      });
    }
    return parseAnswer(answer, text, `${method} ${url.pathname}`) as T;
  }
}

function parseAnswer(answer: Response, text: string, what: string): unknown {
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    if (answer.ok) throw new ClientError('protocol_error', `${what} was not answered with JSON`, { cause });
  }
  if (answer.ok) return body;
  const { error } = (body ?? {}) as { error?: { code?: ClientErrorCode; message?: string } };
  const after = Number(answer.headers.get('retry-after') ?? NaN);
  throw new ClientError(
    error?.code ?? codeOf(answer.status),
    error?.message ?? `${what} was answered with ${answer.status}`,
    {
      status: answer.status,
      retryable: answer.status === 429 || answer.status >= 500,
      ...(Number.isFinite(after) ? { retryAfterS: after } : {}),
    },
  );
}

/** For answers of something between us and the service, which has no codes. */
function codeOf(status: number): ClientErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 429 || status === 503) return 'overloaded';
  return status >= 500 ? 'internal' : 'bad_request';
}

function streamPath(...parts: readonly string[]): string {
  return `/v1/streams/${parts.map(encodeURIComponent).join('/')}`;
}

function queryOf(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values) as [string, string | number | undefined][])
    if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function viewQuery({ annotated, fps }: { readonly annotated?: boolean; readonly fps?: number }): string {
  return queryOf({ annotated: annotated ? 1 : undefined, fps });
}

function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  return cause instanceof Error ? cause.message : String(cause);
}
