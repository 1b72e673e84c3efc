import { connect, type MqttClient } from 'mqtt';

/** Between attempts to reach a broker that is away, ms. */
const RECONNECT_MS = 2000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 30;
/** For the last words, ms. */
const CLOSE_MS = 1000;

export interface MqttLinkOptions {
  /** mqtt://… or mqtts://… */
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Retained `online` while we are connected, `offline` when we are not, also when this process dies. */
  readonly availableTopic: string;
  readonly reconnectMs?: number;
  /** Connected, for the first time or again. */
  readonly onConnect: () => void;
  readonly onProblem: (problem: string) => void;
}

/** The connection to a broker: it is there, or it is being tried. */
export class MqttLink implements AsyncDisposable {
  readonly #options: MqttLinkOptions;
  readonly #client: MqttClient;
  #problem: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    const { url, user, password, availableTopic, reconnectMs = RECONNECT_MS } = options;
    this.#client = connect(url, {
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      clientId: `presage-${Math.random().toString(16).slice(2, 10)}`,
      will: { topic: availableTopic, payload: Buffer.from('offline'), qos: 1, retain: true },
      reconnectPeriod: reconnectMs,
      // A broker that refuses may be mended.
      reconnectOnConnackError: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: KEEPALIVE_S,
      queueQoSZero: false,
      resubscribe: false,
    });
    this.#client.on('connect', () => this.#welcome());
    this.#client.on('error', (error) => this.#trouble(error));
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** Why it is not connected; undefined while it is. */
  get problem(): string | undefined {
    return this.connected ? undefined : (this.#problem ?? 'not connected yet');
  }

  /** Resolves when the broker has it, over as many connections as that takes; rejects only when the link is closed. */
  async publish(topic: string, payload: string, { retain }: { readonly retain: boolean }): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1, retain });
  }

  /** Says goodbye where someone listens. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #welcome(): void {
    this.#problem = undefined;
    const { availableTopic, onConnect, onProblem } = this.#options;
    this.publish(availableTopic, 'online', { retain: true }).catch((error: unknown) =>
      onProblem(String(error)),
    );
    onConnect();
  }

  #trouble(error: Error & { code?: string | number }): void {
    const problem = error.message || String(error.code ?? error.name);
    if (problem !== this.#problem) this.#options.onProblem(problem);
    this.#problem = problem;
  }

  async #close(): Promise<void> {
    if (this.connected) {
      const said = this.publish(this.#options.availableTopic, 'offline', { retain: true });
      await Promise.race([said, new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())]);
    }
    await this.#client.endAsync(!this.connected);
  }
}
