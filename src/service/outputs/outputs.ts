import { PresageError } from '../../core/errors.js';
import type { DurableLog } from '../../transport/log/durable-log.js';
import type { MessageSink, OutgoingMessage } from '../../transport/messages/encode.js';
import { MqttBridge, registerMqttMetrics } from '../../transport/mqtt/mqtt-bridge.js';
import { registerWebhookMetrics, Webhooks, type WebhookTarget } from '../../transport/webhooks/webhooks.js';
import type { Metrics } from '../metrics.js';
import type { Settings } from '../../cli/options/option-table.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { version } from '../version.js';
import type { WebhookEntry } from '../../cli/options/webhook-options.js';

export interface OutputsOptions {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: DurableLog;
  readonly metrics: Metrics;
  /** The streams that are there now. */
  readonly streams: Pick<StreamRegistry, 'status' | 'find'>;
  readonly onError: (error: PresageError) => void;
}

/** Whom a service tells what its streams tell, beside those who connect to it: webhooks and an MQTT broker. */
export class Outputs implements MessageSink, AsyncDisposable {
  readonly #webhooks: Webhooks | undefined;
  readonly #mqtt: MqttBridge | undefined;

  /** @throws PresageError `bad_config` for a secret that is not in the environment */
  constructor({ settings, env, log, metrics, streams, onError }: OutputsOptions) {
    const allowPrivate = settings.webhookAllowPrivate;
    const targets = settings.webhook.map((entry) => targetOf({ allowPrivate, ...entry }, env));
    if (targets.length > 0) {
      this.#webhooks = new Webhooks({ targets, log, folder: settings.data, onError });
      registerWebhookMetrics(metrics.registry, this.#webhooks);
    }
    const { mqttUrl: url, mqttUser: user, mqttPassword: password, mqttTopic: prefix } = settings;
    if (url === undefined) return;
    this.#mqtt = new MqttBridge({
      ...{ url, user, password, prefix, version, log, onError },
      discoveryPrefix: settings.mqttDiscovery ? settings.mqttDiscoveryTopic : undefined,
      streams: () => streams.status().map(({ id }) => ({ id, zones: streams.find(id)?.places.zones ?? {} })),
    });
    registerMqttMetrics(metrics.registry, this.#mqtt);
  }

  /** Begins, now that the streams are known. */
  start(): void {
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

function targetOf(entry: WebhookEntry, env: OutputsOptions['env']): WebhookTarget {
  if (!entry.secret?.startsWith(FROM_ENVIRONMENT)) return entry;
  const name = entry.secret.slice(FROM_ENVIRONMENT.length);
  const secret = env[name];
  if (secret !== undefined && secret !== '') return { ...entry, secret };
  throw new PresageError('bad_config', `webhooks: the environment variable ${name} is not set`, {
    hint: `set ${name} to the secret that the receiver knows`,
  });
}
