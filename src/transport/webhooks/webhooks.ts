import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { PresageError } from '../../core/errors.js';
import type { Message, MessageKind } from '../../core/messages.js';
import type { FollowedLog } from '../log/log-follower.js';
import type { LogEntry } from '../log/log-types.js';
import type { MessageSink, OutgoingMessage } from '../messages/encode.js';
import { DeadLetters } from './dead-letters.js';
import { Webhook, type RetryOptions, type WebhookStats } from './webhook.js';

/** What a webhook is told. All that is given must hold. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret?: string | undefined;
  /** Default: every durable kind. */
  readonly types?: readonly MessageKind[] | undefined;
  readonly streams?: readonly string[] | undefined;
  /** Of predictions. */
  readonly minProbability?: number | undefined;
  readonly allowPrivate?: boolean | undefined;
}

export interface WebhooksOptions {
  readonly targets: readonly WebhookTarget[];
  readonly log: FollowedLog;
  /** Data folder, for the dead letters. */
  readonly folder: string;
  readonly retry?: RetryOptions;
  readonly onError: (error: PresageError) => void;
}

/** The webhooks of a service. */
export class Webhooks implements MessageSink, AsyncDisposable {
  readonly #webhooks: readonly Webhook[];

  constructor({ targets, log, folder, retry, onError }: WebhooksOptions) {
    const deadLetters = new DeadLetters(join(folder, 'webhooks-dead.jsonl'));
    this.#webhooks = targets.map(
      (target) =>
        new Webhook({
          name: nameOf(target),
          url: new URL(target.url),
          secret: target.secret,
          allowPrivate: target.allowPrivate ?? false,
          wants: selector(target),
          ...{ retry, log, deadLetters, onError },
        }),
    );
  }

  deliver(message: OutgoingMessage): void {
    for (const webhook of this.#webhooks) webhook.deliver(message);
  }

  stats(): readonly WebhookStats[] {
    return this.#webhooks.map((webhook) => webhook.stats());
  }

  async close(): Promise<void> {
    await Promise.all(this.#webhooks.map((webhook) => webhook.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Registers the metrics of webhooks, read at each scrape. Call once per registry. */
export function registerWebhookMetrics(registry: Registry, webhooks: Webhooks): void {
  const read = (field: 'delivered' | 'failures' | 'dead' | 'lost' | 'behind'): [string, number][] =>
    webhooks.stats().map((stats) => [stats.name, stats[field]]);
  const counter = (name: string, help: string, field: 'delivered' | 'failures' | 'dead' | 'lost'): void => {
    new Counter({
      ...{ name, help, labelNames: ['webhook'], registers: [registry] },
      collect() {
        this.reset();
        for (const [webhook, count] of read(field)) this.inc({ webhook }, count);
      },
    });
  };
  counter('presage_webhook_delivered_total', 'Messages that webhooks took', 'delivered');
  counter('presage_webhook_failures_total', 'Tries to post a message that failed', 'failures');
  counter('presage_webhook_dead_total', 'Messages given up and written to the dead letters', 'dead');
  counter('presage_webhook_lost_total', 'Messages no longer kept when their turn came', 'lost');
  new Gauge({
    ...{ name: 'presage_webhook_behind', help: 'Durable messages not looked at yet' },
    ...{ labelNames: ['webhook'], registers: [registry] },
    collect() {
      for (const [webhook, count] of read('behind')) this.set({ webhook }, count);
    },
  });
}

/** The host says which one it is, the digest tells targets on one host apart; the path may hold a secret. */
function nameOf({ url, types, streams, minProbability }: WebhookTarget): string {
  const identity = JSON.stringify([url, types, streams, minProbability]);
  return `${new URL(url).host}-${createHash('sha256').update(identity).digest('hex').slice(0, 8)}`;
}

function selector(target: WebhookTarget): (streamId: string, entry: LogEntry) => boolean {
  const { types, streams, minProbability = 0 } = target;
  return (streamId, { kind, json }) => {
    if (streams && !streams.includes(streamId)) return false;
    if (types && !types.includes(kind)) return false;
    if (minProbability === 0 || !kind.startsWith('prediction.')) return true;
    const { data } = JSON.parse(json) as Extract<Message, { type: 'presage.prediction.created.v1' }>;
    return data.prediction.probability >= minProbability;
  };
}
