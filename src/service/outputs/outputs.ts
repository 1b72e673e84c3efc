import type { Registry } from 'prom-client';
import { PresageError } from '../../core/errors.js';
import type { DurableLog } from '../../transport/log/durable-log.js';
import type { MessageSink, OutgoingMessage } from '../../transport/messages/encode.js';
import { MqttBridge, registerMqttMetrics, type MqttOptions } from '../../transport/mqtt/mqtt-bridge.js';
import { registerWebhookMetrics, Webhooks, type WebhookTarget } from '../../transport/webhooks/webhooks.js';
import { version } from '../version.js';

/** Receivers of messages that the service connects to. */
export interface OutputOptions {
  /** A `secret` of the form `env:NAME` is read from the environment variable NAME. */
  readonly webhooks?: readonly WebhookTarget[] | undefined;
  readonly mqtt?: MqttOutputOptions | undefined;
}

interface MqttOutputOptions {
  /** `mqtt://host` or `mqtts://host:8883`. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** First levels of all topics. Default `presage`. */
  readonly topic?: string | undefined;
  /** First levels of Home Assistant's discovery topics; undefined: no discovery. */
  readonly discoveryTopic?: string | undefined;
}

export interface OutputsDeps {
  readonly options?: OutputOptions | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The data folder, for the dead letters of webhooks. */
  readonly folder: string;
  readonly log: DurableLog;
  readonly registry: Registry;
  readonly onError: (error: PresageError) => void;
}

const DEFAULT_TOPIC = 'presage';

/** Sends the messages of a service to webhooks and to an MQTT broker. */
export class Outputs implements MessageSink, AsyncDisposable {
  readonly #webhooks: Webhooks | undefined;
  readonly #mqtt: MqttBridge | undefined;
  #streams: MqttOptions['streams'] = () => [];

  /** @throws PresageError `bad_config` for a secret that is not in the environment */
  constructor({ options = {}, env, folder, log, registry, onError }: OutputsDeps) {
    const targets = (options.webhooks ?? []).map((target) => withSecret(target, env));
    if (targets.length > 0) {
      this.#webhooks = new Webhooks({ targets, log, folder, onError });
      registerWebhookMetrics(registry, this.#webhooks);
    }
    if (options.mqtt === undefined) return;
    const { url, user, password, topic = DEFAULT_TOPIC, discoveryTopic } = options.mqtt;
    this.#mqtt = new MqttBridge({
      url,
      user,
      password,
      prefix: topic,
      discoveryPrefix: discoveryTopic,
      version,
      log,
      streams: () => this.#streams(),
      onError,
    });
    registerMqttMetrics(registry, this.#mqtt);
  }

  /**
   * Connects to the broker.
   * @param streams the present streams and their zones, which are announced there
   */
  start(streams: MqttOptions['streams']): void {
    this.#streams = streams;
    this.#mqtt?.start();
  }

  deliver(message: OutgoingMessage): void {
    this.#webhooks?.deliver(message);
    this.#mqtt?.deliver(message);
  }

  /** For `/healthz`. */
  details(): Readonly<Record<string, string>> {
    const details: Record<string, string> = {};
    for (const { name, problem, behind, dead } of this.#webhooks?.stats() ?? []) {
      const gone = dead === 0 ? '' : `, ${dead} given up`;
      details[`webhook ${name}`] = `${problem ?? 'ok'}, ${behind} behind${gone}`;
    }
    const mqtt = this.#mqtt?.stats();
    if (mqtt) details['mqtt'] = mqtt.problem ?? 'connected';
    return details;
  }

  async close(): Promise<void> {
    await Promise.all([this.#webhooks?.close(), this.#mqtt?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const FROM_ENVIRONMENT = 'env:';

function withSecret(target: WebhookTarget, env: OutputsDeps['env']): WebhookTarget {
  if (!target.secret?.startsWith(FROM_ENVIRONMENT)) return target;
  const name = target.secret.slice(FROM_ENVIRONMENT.length);
  const secret = env[name];
  if (secret !== undefined && secret !== '') return { ...target, secret };
  throw new PresageError('bad_config', `webhooks: the environment variable ${name} is not set`, {
    hint: `set ${name} to the secret that the receiver knows`,
  });
}
