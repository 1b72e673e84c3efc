import { systemClock, type Clock } from '../../core/clock.js';

export interface RateLimitOptions {
  /** What may be taken at once after a pause. */
  readonly burst: number;
  readonly perSecond: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A token bucket. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  #tokens: number;
  #atMs: number;

  constructor(options: RateLimitOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#tokens = options.burst;
    this.#atMs = this.#clock.nowMs();
  }

  /** False when there is none left for now. */
  take(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole seconds until one can be taken; 0: now. */
  get waitS(): number {
    this.#refill();
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - this.#tokens) / this.#options.perSecond));
  }

  #refill(): void {
    const { burst, perSecond } = this.#options;
    const nowMs = this.#clock.nowMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
  }
}

/** Buckets that are remembered; one that is forgotten begins full again. */
const MAX_KEYS = 10_000;

/** A token bucket for each key: an address, a token. The one that was used longest ago is forgotten first. */
export class KeyedRateLimit {
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, RateLimit>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Takes one. 0, or the seconds to wait when there is none left. */
  take(key: string): number {
    const bucket = this.#buckets.get(key) ?? new RateLimit(this.#options);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_KEYS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket.take() ? 0 : bucket.waitS;
  }

  /** Seconds to wait until one can be taken, without taking it. */
  waitS(key: string): number {
    return this.#buckets.get(key)?.waitS ?? 0;
  }
}

/** An address as a key: all of an IPv6 network of 64 bits, which one customer has, counts as one. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  if (tail === undefined) return before.slice(0, 4).join(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
