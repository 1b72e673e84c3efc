import { PresageError, toPresageError } from '../../core/errors.js';
import type { Places } from '../../core/memory.js';
import type { StreamControl } from '../../transport/http/streams/stream-control.js';
import type { NewStream, StreamChange } from '../../transport/http/streams/stream-schemas.js';
import { apiSource } from './api-sources.js';
import type { StreamFile } from './stream-file.js';
import type { StreamPlan } from './stream-plan.js';
import type { StreamRegistry } from './stream-registry.js';

export interface StreamManagerOptions {
  readonly streams: StreamRegistry;
  /** Keeps what the API made for the next start; without one it goes with the process. */
  readonly file?: StreamFile | undefined;
  /** Folder whose files the API may name. */
  readonly apiFiles?: string | undefined;
  /** Checks a plan's source as far as possible without connecting. @throws PresageError */
  readonly check: (plan: StreamPlan) => Promise<void>;
}

/** Creates, changes and removes streams for clients, and stores them for the next start. */
export class StreamManager implements StreamControl {
  readonly #options: StreamManagerOptions;
  /** Zones and lines given by the API to streams that it did not make. */
  readonly #places: Map<string, Places>;
  /** Made by the API, but not there now: presage.yaml has the id, or they could not be added. */
  #absent: readonly NewStream[] = [];

  /** @throws PresageError `storage_failed` */
  constructor(options: StreamManagerOptions) {
    this.#options = options;
    this.#places = new Map(Object.entries(options.file?.read().places ?? {}));
  }

  /**
   * Adds the streams of the configuration and then those that the API made before; where both name an id, the configuration
   * wins. Zones that the API gave count where the configuration gives none.
   */
  addAll(configured: readonly StreamPlan[], onError: (error: PresageError) => void): void {
    const { streams, file } = this.#options;
    for (const plan of configured) streams.add({ ...plan, places: this.#placesOf(plan) });
    const absent: NewStream[] = [];
    for (const kept of file?.read().streams ?? []) {
      try {
        streams.add(planOf(kept));
      } catch (thrown) {
        absent.push(kept);
        if (streams.planOf(kept.id) === undefined) onError(toPresageError(thrown));
      }
    }
    this.#absent = absent;
  }

  async create(stream: NewStream): Promise<void> {
    const { streams, check, apiFiles } = this.#options;
    if (streams.planOf(stream.id) !== undefined) {
      throw new PresageError('conflict', `There is a stream "${stream.id}" already`);
    }
    const plan = planOf({ ...stream, source: apiSource(stream.source, apiFiles) });
    await check(plan);
    streams.add(plan);
    this.#keep();
  }

  async change(id: string, { zones, lines, ...change }: StreamChange): Promise<void> {
    const { streams, check, apiFiles } = this.#options;
    const plan = this.#plan(id);
    const source = change.source === undefined ? plan.source : apiSource(change.source, apiFiles);
    if (source !== plan.source) await check({ ...plan, ...given(change), source });
    const places = { zones: zones ?? plan.places.zones, lines: lines ?? plan.places.lines };
    await streams.change(id, {
      ...given(change),
      source,
      ...((zones !== undefined || lines !== undefined) && { places }),
    });
    if (plan.origin !== 'api' && (zones !== undefined || lines !== undefined)) this.#places.set(id, places);
    this.#keep();
  }

  async remove(id: string): Promise<void> {
    if (this.#plan(id).origin !== 'api') {
      throw new PresageError('conflict', `Stream "${id}" is listed in presage.yaml: take it out there`, {
        hint: `To stop it until the next start: PATCH /v1/streams/${id} {"paused": true}`,
      });
    }
    await this.#options.streams.remove(id);
    this.#keep();
  }

  places(id: string): Places {
    return this.#plan(id).places;
  }

  #plan(id: string): StreamPlan {
    const plan = this.#options.streams.planOf(id);
    if (plan === undefined) throw new PresageError('not_found', `There is no stream "${id}"`);
    return plan;
  }

  #placesOf({ id, places, origin }: StreamPlan): Places {
    const bare = Object.keys(places.zones).length + Object.keys(places.lines).length === 0;
    return (origin === 'config' && bare ? this.#places.get(id) : undefined) ?? places;
  }

  #keep(): void {
    const { streams, file } = this.#options;
    const made = streams.plans().filter(({ origin }) => origin === 'api');
    const absent = this.#absent.filter(({ id }) => made.every((plan) => plan.id !== id));
    file?.write({
      streams: [...made.map(keptOf), ...absent],
      places: Object.fromEntries(this.#places) as StoredPlaces,
    });
  }
}

type StoredPlaces = Parameters<StreamFile['write']>[0]['places'];

function planOf({ id, source, rtspTransport, zones, lines, loop, paused }: NewStream): StreamPlan {
  return { id, source, rtspTransport, places: { zones, lines }, loop, paused, origin: 'api' };
}

function keptOf({ id, source, rtspTransport, places, loop = false, paused = false }: StreamPlan): NewStream {
  const { zones, lines } = places as StoredPlaces[string];
  return { id, source, rtspTransport, zones, lines, loop, paused };
}

/** Only what was given: an absent field changes nothing. */
function given<T extends object>(change: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
