import type { Topics } from './topics.js';

/** `mqtt.topic` of a service that is alone at its broker; ids of its entities do not name it. */
const DEFAULT_PREFIX = 'presage';

export interface DiscoveryOptions {
  readonly topics: Topics;
  /** Where Home Assistant looks: `homeassistant` unless it was told otherwise. */
  readonly prefix: string;
  readonly version: string;
}

/** A retained message that announces one entity. */
export interface Announcement {
  readonly topic: string;
  readonly payload: string;
}

/** What Home Assistant is told of a stream: an occupancy sensor and a "next event" sensor for the camera and for each zone. */
export function announcementsOf(
  stream: string,
  zones: readonly string[],
  options: DiscoveryOptions,
): readonly Announcement[] {
  const places = [undefined, ...zones];
  return places.flatMap((zone) => [occupancy(stream, zone, options), nextEvent(stream, zone, options)]);
}

function occupancy(stream: string, zone: string | undefined, options: DiscoveryOptions): Announcement {
  const { topics } = options;
  return announce('binary_sensor', stream, zone, 'occupancy', options, {
    name: zone === undefined ? 'Occupancy' : `${zone} occupancy`,
    device_class: 'occupancy',
    state_topic: topics.count(stream, zone),
    value_template: "{{ 'ON' if value | int(0) > 0 else 'OFF' }}",
  });
}

function nextEvent(stream: string, zone: string | undefined, options: DiscoveryOptions): Announcement {
  const topic = options.topics.nextEvent(stream, zone);
  return announce('sensor', stream, zone, 'next_event', options, {
    name: zone === undefined ? 'Next event' : `${zone} next event`,
    icon: 'mdi:crystal-ball',
    state_topic: topic,
    value_template: '{{ value_json.type }}',
    json_attributes_topic: topic,
  });
}

function announce(
  component: 'binary_sensor' | 'sensor',
  stream: string,
  zone: string | undefined,
  what: 'occupancy' | 'next_event',
  { topics, prefix, version }: DiscoveryOptions,
  config: Readonly<Record<string, unknown>>,
): Announcement {
  const service = serviceParts(topics.prefix);
  const id = `${idOf([...service, stream, ...(zone === undefined ? [] : ['zone', zone])])}_${what}`;
  const payload = JSON.stringify({
    ...config,
    unique_id: id,
    object_id: id,
    availability: [{ topic: topics.available }, { topic: topics.streamAvailable(stream) }],
    availability_mode: 'all',
    device: {
      identifiers: [idOf([...service, stream])],
      name: topics.prefix === DEFAULT_PREFIX ? `Presage ${stream}` : `Presage ${stream} (${topics.prefix})`,
      manufacturer: 'Presage',
      model: 'Camera stream',
      sw_version: version,
    },
    origin: { name: 'Presage', sw_version: version },
  });
  return { topic: `${prefix}/${component}/${id}/config`, payload };
}

/**
 * `mqtt.topic` names a service at its broker. Ids of the default one have one part fewer (2 or 4 instead of 3 or 5), so that they
 * differ from those of all others whatever streams and zones are called.
 */
function serviceParts(prefix: string): readonly string[] {
  return prefix === DEFAULT_PREFIX ? ['presage'] : ['presage', prefix];
}

/** False for an announcement of an earlier version, which could be the one of another service at the same broker. */
export function isAnnouncedBy(topic: string, base: string, discoveryPrefix: string): boolean {
  if (base === DEFAULT_PREFIX) return true;
  const [, id = ''] = topic.slice(discoveryPrefix.length + 1).split('/');
  return !topic.startsWith(`${discoveryPrefix}/`) || id.startsWith(`${idOf(serviceParts(base))}_`);
}

/** One id of several names. Different lists of names give different ids: `_` stands only between two of them. */
export function idOf(names: readonly string[]): string {
  return names.map(plain).join('_');
}

/** Home Assistant accepts letters, digits, `_` and `-`; other characters become `-x…-`, with their code, and `-` escapes both. */
function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/gu, (character) =>
    character === '-' || character === '_'
      ? `-${character}`
      : `-x${(character.codePointAt(0) ?? 0).toString(16)}-`,
  );
}
