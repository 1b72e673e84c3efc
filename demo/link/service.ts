import { batch, signal } from '@preact/signals';
import {
  ClientError,
  connect,
  type Agent,
  type HttpClient,
  type StreamInfo,
} from '../../src/client/index.js';
import { StreamModel } from '../state/stream-model.js';
import { loadToken, saveToken } from './session.js';

export type LinkState =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | { readonly state: 'offline'; readonly reason: string; readonly sinceMs: number }
  /** The service wants a token; `wrong` when it was given one. */
  | { readonly state: 'locked'; readonly wrong: boolean };

/** States of streams are asked for this often, and after this when the service was away, ms. */
const POLL_MS = 2000;
/** Told so far, of what was told before the page was opened. */
const BACKLOG = 600;
/** Boxes per second of media time: every frame of most cameras. */
const OBJECTS_RATE = 30;

/** The page's one connection to the service. It goes on by itself after a restart of the service. */
export class Service {
  readonly link = signal<LinkState>({ state: 'connecting' });
  readonly streams = signal<readonly StreamInfo[]>([]);
  readonly #models = new Map<string, StreamModel>();
  /** Folder of the page: below a reverse proxy, it is not the root of its origin. */
  readonly #base = new URL('.', location.href);
  #token = loadToken();
  #agent: Agent | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Goes up when a service answers that was away: whoever shows something loads it again. */
  readonly generation = signal(0);

  /** Typed calls of the HTTP API. */
  get http(): HttpClient {
    this.#agent ??= connect(this.#base, { token: this.#token });
    return this.#agent.http;
  }

  start(): void {
    void this.#poll();
  }

  unlock(token: string): void {
    saveToken(token);
    this.#token = token;
    this.#disconnect();
    this.link.value = { state: 'connecting' };
    void this.#poll();
  }

  model(id: string): StreamModel {
    const known = this.#models.get(id);
    if (known) return known;
    const made = new StreamModel(id);
    this.#models.set(id, made);
    return made;
  }

  /**
   * Asks the service with the token in a header, for what an `img` or `video` would ask without.
   * @param address a path of the API, or a complete address
   */
  async fetch(address: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    const url = typeof address === 'string' ? new URL(`.${address}`, this.#base) : address;
    return fetch(url, { ...init, headers });
  }

  /** Streams were added, changed or removed: looks at once. */
  refresh(): Promise<void> {
    return this.#poll();
  }

  async #poll(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const response = await this.fetch('/v1/streams', { signal: AbortSignal.timeout(POLL_MS * 3) });
      if (response.status === 401) {
        this.#lock();
        return;
      }
      if (!response.ok) throw new ClientError('unreachable', `The service answers with ${response.status}`);
      const { streams } = (await response.json()) as { streams: readonly StreamInfo[] };
      this.#take(streams);
    } catch (thrown) {
      this.#lose(thrown);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#poll(), POLL_MS);
  }

  #take(streams: readonly StreamInfo[]): void {
    const wasAway = this.link.value.state !== 'open';
    // A service with another log counts from the beginning: nothing of before goes on.
    const anew = streams.filter(
      ({ id, lastSequence }) => Number(lastSequence ?? 0) < this.model(id).sequence - 50,
    );
    for (const { id } of anew) this.model(id).reset();
    batch(() => {
      this.link.value = { state: 'open' };
      this.streams.value = streams;
      for (const info of streams) this.model(info.id).info.value = info;
      if (wasAway) this.generation.value += 1;
    });
    const there = new Set(streams.map(({ id }) => id));
    for (const id of this.#models.keys()) if (!there.has(id)) this.#models.delete(id);
    if (anew.length > 0) this.#disconnect();
    if (!this.#connected) this.#connect(streams);
  }

  #connected = false;

  #connect(streams: readonly StreamInfo[]): void {
    const from = Object.fromEntries(
      streams.map(({ id, lastSequence }) => {
        const seen = this.model(id).sequence;
        const last = Number(lastSequence ?? 0);
        return [id, seen > 0 ? seen + 1 : Math.max(last - BACKLOG, 1)];
      }),
    );
    const old = this.#agent;
    const agent = connect(this.#base, { token: this.#token, from });
    this.#agent = agent;
    this.#connected = true;
    void old?.close();
    agent.messages({ objectsRate: OBJECTS_RATE }).subscribe({
      next: (message) => {
        const id = message.source.slice(message.source.lastIndexOf('/') + 1);
        this.model(id).add(message);
      },
      error: () => this.#disconnect(),
    });
    agent.status$.subscribe((status) => {
      if (status.state === 'reconnecting' && this.#agent === agent) this.#lose(new Error(status.reason));
    });
  }

  #disconnect(): void {
    this.#connected = false;
    void this.#agent?.close();
    this.#agent = undefined;
  }

  #lock(): void {
    this.#disconnect();
    this.link.value = { state: 'locked', wrong: this.#token !== undefined };
  }

  #lose(thrown: unknown): void {
    const { value } = this.link;
    if (value.state === 'offline' || value.state === 'locked') return;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    this.link.value = { state: 'offline', reason, sinceMs: Date.now() };
  }
}
