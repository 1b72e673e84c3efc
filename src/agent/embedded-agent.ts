import type { Asked } from '../ask/ask.js';
import { PresageError } from '../core/errors.js';
import { Service } from '../service/service.js';
import type { StreamStatus } from '../transport/http/status.js';
import {
  checkAgentOptions,
  checkStreamOptions,
  type AgentOptions,
  type StreamOptions,
} from './agent-options.js';
import { Flows } from './flows.js';
import { MessageBus } from './message-bus.js';

/** One stream of an embedded agent, with its flows. */
export class AgentStream extends Flows {
  readonly id: string;
  /** Resolves when the stream has ended: undefined for a normal end, else why it failed. Never rejects. */
  readonly ended: Promise<PresageError | undefined>;
  readonly #agent: EmbeddedAgent;

  /** @internal */
  constructor(
    agent: EmbeddedAgent,
    id: string,
    ended: Promise<PresageError | undefined>,
    ...flows: ConstructorParameters<typeof Flows>
  ) {
    super(...flows);
    this.#agent = agent;
    this.id = id;
    this.ended = ended;
  }

  /** Current state, frame rate and dropped frames. @throws {PresageError} not_found — the stream was removed; source_closed — the agent is closed */
  status(): StreamStatus {
    return this.#agent.statusOf(this.id);
  }

  /** Answers a question about this stream. @throws {PresageError} see `EmbeddedAgent.ask` */
  ask(question: string): Promise<Asked> {
    return this.#agent.ask(this.id, question);
  }

  /** Ends the stream; its stored messages and memory stay. False where it was removed before. */
  remove(): Promise<boolean> {
    return this.#agent.removeStream(this.id);
  }
}

/**
 * The video agent in this process: streams, memory, reasoner and storage, without a server unless `listen` is given. The flows
 * of the agent deliver the messages of all its streams.
 */
export class EmbeddedAgent extends Flows implements AsyncDisposable {
  /** Address of the HTTP server; undefined without `listen`. */
  readonly url: string | undefined;
  readonly #service: Service;
  readonly #bus: MessageBus;
  readonly #onError: (error: PresageError) => void;
  #closed: Promise<void> | undefined;

  private constructor(service: Service, bus: MessageBus, onError: (error: PresageError) => void) {
    super(bus, undefined, onError);
    this.#service = service;
    this.#bus = bus;
    this.#onError = onError;
    this.url = service.url;
  }

  /** @internal */
  static async open(options: AgentOptions): Promise<EmbeddedAgent> {
    checkAgentOptions(options);
    const { perception, reasoner, experts, explainer, video, signal, data = '.presage', ...rest } = options;
    const onError = options.onError ?? (() => undefined);
    const bus = new MessageBus();
    signal?.throwIfAborted();
    const service = await Service.open(
      {
        ...rest,
        data,
        sinks: [bus, ...(options.sinks ?? [])],
        models: { perception, video, reasoner: { ...reasoner, experts, explainer } },
      },
      [],
      signal,
    );
    void service.run();
    return new EmbeddedAgent(service, bus, onError);
  }

  /**
   * Adds a stream and starts it. A source that cannot be reached is retried; see `states()`.
   *
   * @throws {PresageError} bad_option — unknown option or invalid id; conflict — the id is in use; overloaded — too many streams;
   * source_not_found, source_invalid — the file cannot be opened; source_closed — the agent is closed
   */
  async addStream(options: StreamOptions): Promise<AgentStream> {
    this.#assertOpen();
    checkStreamOptions(options);
    const { id, source, zones = {}, lines = {}, loop, rtspTransport, sink } = options;
    const { streams } = this.#service;
    streams.add({
      id,
      source: typeof source === 'string' ? source : id,
      open: typeof source === 'string' ? undefined : source,
      places: { zones, lines },
      loop,
      rtspTransport,
      sink,
      origin: 'command',
    });
    const ended = streams.ended(id);
    return Promise.resolve(new AgentStream(this, id, ended, this.#bus, id, this.#onError));
  }

  /** Ends a stream; its stored messages and memory stay. False where there is none. @throws {PresageError} source_closed — the agent is closed */
  async removeStream(id: string): Promise<boolean> {
    this.#assertOpen();
    return this.#service.streams.remove(id);
  }

  /** States of all streams. @throws {PresageError} source_closed — the agent is closed */
  statuses(): readonly StreamStatus[] {
    this.#assertOpen();
    return this.#service.streams.status();
  }

  /**
   * State of one stream.
   * @throws {PresageError} not_found — there is no such stream; source_closed — the agent is closed
   */
  statusOf(id: string): StreamStatus {
    const status = this.statuses().find((one) => one.id === id);
    if (status) return status;
    throw new PresageError('not_found', `There is no stream "${id}"`);
  }

  /**
   * Answers a question about a stream from its memory, such as "who is here now?".
   *
   * @throws {PresageError} not_found — there is no such stream; storage_failed, backend_failed, overloaded; source_closed — the agent is closed
   */
  async ask(id: string, question: string): Promise<Asked> {
    this.statusOf(id);
    return this.#service.asker.ask(id, question);
  }

  /** Ends all streams, completes all flows and closes everything. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#service.close().finally(() => this.#bus.close());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new PresageError('source_closed', 'The agent is closed', { hint: 'open a new one' });
  }
}

/**
 * Opens the video agent in this process.
 *
 * @throws {PresageError} bad_option — unknown or invalid option; ffmpeg_missing; storage_failed; model_missing, model_invalid,
 * model_hash_mismatch, device_unavailable, worker_crashed — of the models; port_in_use — of `listen`; or the reason of the signal
 */
export function openAgent(options: AgentOptions = {}): Promise<EmbeddedAgent> {
  return EmbeddedAgent.open(options);
}
