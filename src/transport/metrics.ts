import { Counter, Gauge, type Registry } from 'prom-client';
import type { DurableLog } from './log/durable-log.js';
import type { Hub } from './events/hub.js';

/** Registers the transport's metrics, read at each scrape. Call once per registry. */
export function registerTransportMetrics(registry: Registry, parts: { hub: Hub; log: DurableLog }): void {
  const { hub, log } = parts;
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  gauge('presage_clients', 'Clients of events connected', () => hub.stats().subscribers);
  counter('presage_client_messages_sent_total', 'Messages handed to clients', () => hub.stats().sent);
  counter(
    'presage_client_messages_dropped_total',
    'Messages that slow clients lost',
    () => hub.stats().dropped,
  );
  counter('presage_clients_slow_total', 'Clients ended because they read too slowly', () => hub.stats().slow);
  counter('presage_client_errors_total', 'Replays that failed', () => hub.stats().errors);
  gauge('presage_log_pending', 'Messages that wait for a commit', () => log.stats().pending);
  counter('presage_log_commits_total', 'Commits of the durable log', () => log.stats().commits);
  counter('presage_log_messages_total', 'Messages made durable', () => log.stats().committed);
  counter('presage_log_expired_total', 'Messages deleted by retention', () => log.stats().deleted);
  counter('presage_log_errors_total', 'Commits and sweeps that failed', () => log.stats().errors);
  gauge('presage_log_commit_seconds', 'Duration of the last commit', () => log.stats().lastCommitMs / 1000);
}
