import { redact } from '../../core/text/redact.js';
import { toPresageError, type PresageError } from '../../core/errors.js';
import type { MessageSink, OutgoingMessage } from '../messages/encode.js';
import { LogFollower, type FollowedLog, type LogFollowerStats } from '../log/log-follower.js';
import type { LogEntry } from '../log/log-types.js';
import type { DeadLetters } from './dead-letters.js';
import { post, type PostResult } from './post.js';
import { signedHeaders } from './signature.js';

/** Longest that a receiver may ask us to wait, ms. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export interface RetryOptions {
  /** Tries of one message before it goes to the dead letters. Default 12: about 45 min. */
  readonly tries?: number;
  /** Wait before the second try, ms; doubled each time, a random half taken off. Default 1 s. */
  readonly baseMs?: number;
  /** Longest wait, ms. Default 10 min. */
  readonly maxMs?: number;
  /** For one try, ms. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface WebhookOptions {
  /** Stable over restarts and unique: the position in the log is kept under it. */
  readonly name: string;
  readonly url: URL;
  /** `whsec_` and Base64, or any text. Without it nothing is signed. */
  readonly secret: string | undefined;
  readonly allowPrivate: boolean;
  readonly wants: (streamId: string, entry: LogEntry) => boolean;
  readonly retry?: RetryOptions | undefined;
  readonly log: FollowedLog;
  readonly deadLetters: DeadLetters;
  readonly onError: (error: PresageError) => void;
}

export interface WebhookStats extends Omit<LogFollowerStats, 'sent'> {
  readonly name: string;
  readonly delivered: number;
  /** Tries that failed. */
  readonly failures: number;
  readonly dead: number;
  /** Why the newest try failed; undefined when it did not. */
  readonly problem: string | undefined;
}

/** Posts the durable messages of a subscription to one address: in order, one at a time, again until they are taken. */
export class Webhook implements MessageSink, AsyncDisposable {
  readonly #options: WebhookOptions;
  readonly #retry: Required<RetryOptions>;
  readonly #follower: LogFollower;
  #delivered = 0;
  #failures = 0;
  #dead = 0;
  #problem: string | undefined;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#retry = { tries: 12, baseMs: 1000, maxMs: 600_000, timeoutMs: 10_000, ...options.retry };
    const { name, log, wants, onError } = options;
    this.#follower = new LogFollower({
      name: `webhook/${name}`,
      ...{ log, wants, onError },
      send: (_streamId, entry, signal) => this.#send(entry, signal),
    });
    this.#follower.start();
  }

  deliver(message: OutgoingMessage): void {
    this.#follower.deliver(message);
  }

  stats(): WebhookStats {
    const { lost, behind } = this.#follower.stats();
    return {
      name: this.#options.name,
      ...{ delivered: this.#delivered, failures: this.#failures, dead: this.#dead },
      ...{ lost, behind, problem: this.#problem },
    };
  }

  /** Gives up what is under way; after a restart it is sent again. Idempotent. */
  close(): Promise<void> {
    return this.#follower.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send(entry: LogEntry, signal: AbortSignal): Promise<void> {
    const { id } = JSON.parse(entry.json) as { id: string };
    for (let attempt = 1; ; attempt++) {
      const result = await this.#post(id, entry.json, signal);
      if (signal.aborted) return;
      const problem = problemOf(result);
      this.#problem = problem;
      if (problem === undefined) {
        this.#delivered += 1;
        return;
      }
      this.#failures += 1;
      if (attempt >= this.#retry.tries || result.outcome === 'refused') {
        await this.#bury(entry, attempt, problem);
        return;
      }
      await pause(this.#delayMs(attempt, result), signal);
    }
  }

  #post(id: string, body: string, signal: AbortSignal): Promise<PostResult> {
    const { url, secret, allowPrivate } = this.#options;
    return post({
      ...{ url, body, allowPrivate, signal },
      timeoutMs: this.#retry.timeoutMs,
      headers: {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        'user-agent': 'presage',
        ...(secret === undefined ? { 'webhook-id': id } : signedHeaders(secret, id, body, Date.now())),
      },
    });
  }

  /** What the receiver asks for, but never less than our own backoff. */
  #delayMs(attempt: number, result: PostResult): number {
    const { baseMs, maxMs } = this.#retry;
    const own = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30)) * (0.5 + 0.5 * Math.random());
    const asked = result.outcome === 'answered' ? retryAfterMs(result.retryAfter) : 0;
    return Math.max(own, Math.min(asked, MAX_RETRY_AFTER_MS));
  }

  async #bury({ json }: LogEntry, attempts: number, reason: string): Promise<void> {
    this.#dead += 1;
    const { name, deadLetters, onError } = this.#options;
    try {
      const at = new Date().toISOString();
      await deadLetters.add({ at, webhook: name, attempts, reason, message: JSON.parse(json) as unknown });
    } catch (thrown) {
      onError(toPresageError(thrown, 'storage_failed'));
    }
  }
}

/** Undefined when the message was taken. */
function problemOf(result: PostResult): string | undefined {
  if (result.outcome !== 'answered') return redact(result.reason);
  return result.status >= 200 && result.status < 300 ? undefined : `answered with ${result.status}`;
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(value: string | undefined): number {
  if (value === undefined) return 0;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - Date.now());
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
