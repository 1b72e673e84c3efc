import { ANY, WHOLE, type Topics } from './topics.js';

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
    state_topic: topics.count(stream, zone ?? WHOLE, ANY),
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
  what: string,
  { topics, prefix, version }: DiscoveryOptions,
  config: Readonly<Record<string, unknown>>,
): Announcement {
  const id = ['presage', stream, ...(zone === undefined ? [] : ['zone', zone]), what].map(plain).join('_');
  const payload = JSON.stringify({
    ...config,
    unique_id: id,
    object_id: id,
    availability: [{ topic: topics.available }, { topic: topics.streamAvailable(stream) }],
    availability_mode: 'all',
    device: {
      identifiers: [`presage_${stream}`],
      name: `Presage ${stream}`,
      manufacturer: 'Presage',
      model: 'Camera stream',
      sw_version: version,
    },
    origin: { name: 'Presage', sw_version: version },
  });
  return { topic: `${prefix}/${component}/${id}/config`, payload };
}

/** Home Assistant takes letters, digits, `_` and `-`; other characters become their code, so that names stay apart. */
function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, (character) => `-${(character.codePointAt(0) ?? 0).toString(16)}-`);
}
