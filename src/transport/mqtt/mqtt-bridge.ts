import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import { guarded } from '../../core/guarded.js';
import { PresageError } from '../../core/errors.js';
import type { Message } from '../../core/messages.js';
import { LogFollower, type FollowedLog } from '../log/log-follower.js';
import type { LogEntry } from '../log/log-types.js';
import type { MessageSink, OutgoingMessage } from '../messages/encode.js';
import { announcementsOf, isAnnouncedBy, type Announcement } from './discovery.js';
import { MqttLink } from './mqtt-link.js';
import { StreamView, type Zones } from './stream-view.js';
import { Topics } from './topics.js';

/** Events and predictions of a stream that wait for a broker that is away; beyond it the oldest are skipped and counted. */
const MAX_BEHIND = 1000;
/** Objects are counted this often at most, s of media time: lamps need not be quicker. */
const COUNT_EVERY_S = 0.5;
/** Streams and zones that came or went are noticed after this, ms. */
const SYNC_MS = 2000;
/** Where the retained topics are kept that a later run has to clear. */
const RETAINED_KEY = 'mqtt/retained';
const NO_STREAM = '';

const EVENT_KINDS: ReadonlySet<string> = new Set(['event.observed']);
const PREDICTION_KINDS: ReadonlySet<string> = new Set([
  'prediction.created',
  'prediction.updated',
  'prediction.resolved',
]);

export interface MqttOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** First level of all topics. Default `presage`. */
  readonly prefix: string;
  /** First level of Home Assistant's discovery; undefined: nothing is announced. */
  readonly discoveryPrefix: string | undefined;
  readonly version: string;
  readonly log: FollowedLog;
  /** The streams that are there now, and their zones. */
  readonly streams: () => readonly { readonly id: string; readonly zones: Zones }[];
  readonly reconnectMs?: number;
  readonly onError: (error: PresageError) => void;
}

export interface MqttStats {
  readonly connected: boolean;
  readonly problem: string | undefined;
  readonly published: number;
  /** Events and predictions that were skipped because too many waited. */
  readonly dropped: number;
  readonly behind: number;
}

/**
 * Tells an MQTT broker what streams tell: events and predictions in order from the durable log (at least once), and as retained
 * messages who is where, what comes next, and what Home Assistant needs to show it.
 */
export class MqttBridge implements MessageSink, AsyncDisposable {
  readonly #options: MqttOptions;
  readonly #topics: Topics;
  readonly #link: MqttLink;
  readonly #follower: LogFollower;
  readonly #views = new Map<string, { readonly key: string; readonly view: StreamView }>();
  readonly #countedAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  /** A message that is under way to a broker that is away is not waited for. */
  readonly #closing: Promise<void>;
  #beginClosing!: () => void;
  /** Retained at the broker by us, now or in an earlier run. */
  #retained = new Map<string, string | undefined>();
  #published = 0;

  constructor(options: MqttOptions) {
    this.#options = options;
    const { url, user, password, prefix, discoveryPrefix, reconnectMs, log, onError } = options;
    this.#topics = new Topics(prefix);
    this.#closing = new Promise((resolve) => (this.#beginClosing = resolve));
    const earlier = (log.load(NO_STREAM, RETAINED_KEY) ?? []) as readonly string[];
    const isOwn = (topic: string): boolean =>
      discoveryPrefix === undefined || isAnnouncedBy(topic, prefix, discoveryPrefix);
    for (const topic of earlier) if (isOwn(topic)) this.#retained.set(topic, undefined);
    this.#link = new MqttLink({
      ...{ url, user, password, availableTopic: this.#topics.available },
      ...(reconnectMs === undefined ? {} : { reconnectMs }),
      onConnect: guarded(() => this.#tellAll(), onError),
      onProblem: (problem) =>
        onError(new PresageError('output_failed', `MQTT broker: ${problem}`, { retryable: true })),
    });
    this.#follower = new LogFollower({
      name: 'mqtt',
      ...{ log, onError, maxBehind: MAX_BEHIND },
      wants: (_stream, { kind }) => EVENT_KINDS.has(kind) || PREDICTION_KINDS.has(kind),
      send: (stream, entry) => Promise.race([this.#send(stream, entry), this.#closing]),
    });
  }

  /** Begins, once the streams are known: what is not among them is cleared from the broker. */
  start(): void {
    const sync = guarded(() => this.#sync(), this.#options.onError);
    this.#timer ??= setInterval(sync, SYNC_MS).unref();
    this.#sync();
    this.#follower.start();
  }

  deliver(message: OutgoingMessage): void {
    this.#follower.deliver(message);
    const { streamId, kind, mediatime } = message;
    const view = this.#views.get(streamId)?.view;
    if (view === undefined) return;
    if (kind === 'objects.updated' && !this.#countsNow(streamId, mediatime)) return;
    if (kind !== 'objects.updated' && kind !== 'stream.state' && !PREDICTION_KINDS.has(kind)) return;
    for (const topic of view.take(JSON.parse(message.json) as Message))
      this.#retain(topic, view.retained.get(topic));
  }

  stats(): MqttStats {
    const { lost, behind } = this.#follower.stats();
    const { connected, problem } = this.#link;
    return { connected, problem, published: this.#published, dropped: lost, behind };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = this.#follower.close();
    this.#beginClosing();
    await this.#link.close();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send(stream: string, { kind, json }: LogEntry): Promise<void> {
    const topic = EVENT_KINDS.has(kind) ? this.#topics.events(stream) : this.#topics.predictions(stream);
    try {
      await this.#link.publish(topic, json, { retain: false });
      this.#published += 1;
    } catch {
      // Only a link that is being closed refuses: the message stays where it is and is sent after a restart.
    }
  }

  #countsNow(stream: string, mediatime: number): boolean {
    const since = mediatime - (this.#countedAt.get(stream) ?? -Infinity);
    if (since >= 0 && since < COUNT_EVERY_S) return false;
    this.#countedAt.set(stream, mediatime);
    return true;
  }

  /** Streams and zones as they are now. */
  #sync(): void {
    const streams = this.#options.streams();
    const there = new Set(streams.map(({ id }) => id));
    for (const id of [...this.#views.keys()]) if (!there.has(id)) this.#views.delete(id);
    let changed = there.size !== this.#views.size;
    for (const { id, zones } of streams) {
      const key = JSON.stringify(zones);
      if (this.#views.get(id)?.key === key) continue;
      changed = true;
      this.#views.set(id, { key, view: new StreamView(id, this.#topics, zones) });
    }
    const wanted = this.#wanted();
    for (const topic of [...this.#retained.keys()]) if (!wanted.has(topic)) this.#retain(topic, undefined);
    if (!changed) return;
    for (const [topic, payload] of wanted) this.#retain(topic, payload);
  }

  #wanted(): ReadonlyMap<string, string> {
    const wanted = new Map<string, string>();
    for (const [id, { view }] of this.#views) {
      for (const [topic, payload] of view.retained) wanted.set(topic, payload);
      for (const { topic, payload } of this.#announcements(id, view)) wanted.set(topic, payload);
    }
    return wanted;
  }

  #announcements(id: string, view: StreamView): readonly Announcement[] {
    const { discoveryPrefix, version } = this.#options;
    if (discoveryPrefix === undefined) return [];
    return announcementsOf(id, view.zones, { topics: this.#topics, prefix: discoveryPrefix, version });
  }

  /** The broker forgets retained messages in some restarts: it is told everything anew with each connection. */
  #tellAll(): void {
    if (this.#timer === undefined) return;
    for (const [topic, payload] of this.#retained) this.#publishRetained(topic, payload);
  }

  /** @param payload undefined: clears the topic */
  #retain(topic: string, payload: string | undefined): void {
    const known = this.#retained.has(topic);
    if (known && this.#retained.get(topic) === payload) return;
    this.#retained.set(topic, payload);
    if (!known) this.#options.log.save(NO_STREAM, RETAINED_KEY, [...this.#retained.keys()]);
    if (this.#link.connected) this.#publishRetained(topic, payload);
  }

  #publishRetained(topic: string, payload: string | undefined): void {
    const stored = guarded(() => {
      this.#published += 1;
      if (payload !== undefined || this.#retained.get(topic) !== undefined) return;
      this.#retained.delete(topic);
      this.#options.log.save(NO_STREAM, RETAINED_KEY, [...this.#retained.keys()]);
    }, this.#options.onError);
    this.#link.publish(topic, payload ?? '', { retain: true }).then(
      stored,
      () => undefined, // the link is being closed; the next run tells it
    );
  }
}

/** Registers the metrics of MQTT, read at each scrape. Call once per registry. */
export function registerMqttMetrics(registry: Registry, bridge: MqttBridge): void {
  const gauge = (name: string, help: string, read: (stats: MqttStats) => number): void => {
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read(bridge.stats()));
      },
    });
  };
  const counter = (name: string, help: string, read: (stats: MqttStats) => number): void => {
    new Counter({
      ...{ name, help, registers: [registry] },
      collect() {
        this.reset();
        this.inc(read(bridge.stats()));
      },
    });
  };
  gauge('presage_mqtt_connected', '1 while the broker is connected', ({ connected }) => (connected ? 1 : 0));
  gauge('presage_mqtt_behind', 'Durable messages not looked at yet', ({ behind }) => behind);
  counter('presage_mqtt_published_total', 'Messages that the broker took', ({ published }) => published);
  counter(
    'presage_mqtt_dropped_total',
    'Events and predictions skipped since too many waited',
    ({ dropped }) => dropped,
  );
}
