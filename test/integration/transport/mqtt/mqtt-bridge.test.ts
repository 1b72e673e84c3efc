/** The bridge against Debian's mosquitto. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DurableLog } from '../../../../src/transport/log/durable-log.js';
import { Publisher } from '../../../../src/transport/messages/publisher.js';
import { MqttBridge, type MqttOptions } from '../../../../src/transport/mqtt/mqtt-bridge.js';
import { Mosquitto, noMosquitto } from '../../../support/mqtt/mosquitto.js';
import { eventDraft, objectsDraft, sampleDraft } from '../../../support/transport/drafts.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

type Zones = Record<string, [number, number][]>;
const DOOR: Zones = {
  door: [
    [0, 0],
    [0.5, 0],
    [0.5, 1],
    [0, 1],
  ],
};

interface Rig {
  readonly bridge: MqttBridge;
  readonly publisher: Publisher;
  readonly errors: string[];
  streams: { id: string; zones: Zones }[];
  close(): Promise<void>;
}

async function rig(broker: Mosquitto, folder: string, options: Partial<MqttOptions> = {}): Promise<Rig> {
  const log = await DurableLog.open({ folder });
  const errors: string[] = [];
  const made = { streams: [{ id: 'cam1', zones: DOOR }], errors } as unknown as Rig;
  const bridge = new MqttBridge({
    ...{
      url: broker.url,
      ...broker.login,
      prefix: 'presage',
      discoveryPrefix: 'homeassistant',
      version: '1',
    },
    ...{ log, reconnectMs: 50, streams: () => made.streams },
    onError: (error) => errors.push(error.message),
    ...options,
  });
  bridge.start();
  const publisher = new Publisher({ streamId: 'cam1', log, sinks: [bridge] });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closed ??= (async () => {
      await bridge.close();
      await publisher.close();
      await log.close();
    })());
  onTestFinished(close);
  return Object.assign(made, { bridge, publisher, close });
}

const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 20 });

describe.skipIf(noMosquitto)(`mqtt${noMosquitto ? ` (${noMosquitto})` : ''}`, () => {
  it('tells events, predictions, counts by zone and what is next, and announces sensors', async () => {
    const broker = await Mosquitto.start(tempFolder());
    const { topics } = await broker.listen();
    const { publisher, bridge } = await rig(broker, tempFolder());
    await waitFor(() => expect(topics.get('presage/available')).toBe('online'));
    publisher.publishAll([eventDraft(1, 1), sampleDraft('prediction.created'), objectsDraft(1, 2)]);
    await waitFor(() => expect(topics.get('presage/cam1/door/person')).toBe('2'));
    await waitFor(() => expect(topics.get('presage/cam1/all/all')).toBe('2'));
    await waitFor(() => {
      expect(JSON.parse(topics.get('presage/cam1/events') ?? '{}')).toMatchObject({
        id: 'cam1:1',
        subject: 'e1',
      });
      expect(JSON.parse(topics.get('presage/cam1/next_event') ?? '{}')).toMatchObject({
        type: 'exit',
        to: 15.48,
      });
    });
    publisher.publish(sampleDraft('prediction.resolved'));
    await waitFor(() => expect(topics.get('presage/cam1/next_event')).toBe('{"type":"none"}'));
    await waitFor(() =>
      expect(topics.get('presage/cam1/predictions')).toMatch('"type":"presage.prediction.resolved.v1"'),
    );
    const topic = 'homeassistant/binary_sensor/presage_cam1_zone_door_occupancy/config';
    await waitFor(() => expect(topics.has(topic)).toBe(true));
    const config = topics.get(topic);
    expect(JSON.parse(config ?? '{}')).toMatchObject({
      unique_id: 'presage_cam1_zone_door_occupancy',
      device_class: 'occupancy',
      state_topic: 'presage/cam1/door/all',
      availability: [{ topic: 'presage/available' }, { topic: 'presage/cam1/available' }],
      device: { identifiers: ['presage_cam1'] },
    });
    expect([...topics.keys()].filter((topic) => topic.startsWith('homeassistant/'))).toHaveLength(4);
    await waitFor(() => expect(bridge.stats()).toMatchObject({ connected: true, dropped: 0, behind: 0 }));
  });

  it('keeps the entities and counts of two services and of similar zones apart', async () => {
    const broker = await Mosquitto.start(tempFolder());
    const { topics } = await broker.listen();
    const left: [number, number][] = [
      [0, 0],
      [0.01, 0],
      [0.01, 0.01],
    ];
    const whole: [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    const zones: Zones = { 'a/b': whole, a_b: left, all: left };
    const home = await rig(broker, tempFolder(), { streams: () => [{ id: 'cam1', zones }] });
    const barn = await rig(broker, tempFolder(), {
      ...{ prefix: 'barn', streams: () => [{ id: 'cam1', zones }] },
    });
    const announced = (): Record<string, { unique_id: string; state_topic: string }> =>
      Object.fromEntries(
        [...topics]
          .filter(([topic]) => topic.startsWith('homeassistant/'))
          .map(([topic, text]) => [topic, JSON.parse(text) as { unique_id: string; state_topic: string }]),
      );
    // Of each service: two sensors for the picture and for each of three zones.
    await waitFor(() => expect(Object.keys(announced())).toHaveLength(16));
    const entities = Object.values(announced());
    expect(new Set(entities.map(({ unique_id }) => unique_id)).size).toBe(16);
    expect(new Set(entities.map(({ state_topic }) => state_topic)).size).toBe(16);
    home.publisher.publish(objectsDraft(1, 2));
    await waitFor(() => expect(topics.get('presage/cam1/a%2Fb/person')).toBe('2'));
    expect(topics.get('presage/cam1/all/person')).toBe('2');
    expect(topics.get('presage/cam1/a_b/all')).toBe('0');
    expect(topics.get('presage/cam1/%61ll/all')).toBe('0');
    expect(topics.get('barn/cam1/all/all')).toBe('0');
    await barn.close();
    const empty = await rig(broker, tempFolder(), { prefix: 'barn', streams: () => [] });
    await empty.close();
    expect(Object.keys(announced()).filter((topic) => topic.includes('/presage_cam1_'))).toHaveLength(8);
  });

  it('does not clear an entity of the default service that an earlier version announced under the same id', async () => {
    const broker = await Mosquitto.start(tempFolder());
    const { topics } = await broker.listen();
    await rig(broker, tempFolder());
    const entity = 'homeassistant/sensor/presage_cam1_next_event/config';
    await waitFor(() => expect(topics.has(entity)).toBe(true));
    const folder = tempFolder();
    const log = await DurableLog.open({ folder });
    log.save('', 'mqtt/retained', [entity, 'barn/cam2/available']);
    await log.close();
    const { bridge } = await rig(broker, folder, { prefix: 'barn', streams: () => [] });
    await waitFor(() => expect(topics.get('barn/available')).toBe('online'));
    await bridge.close();
    expect(topics.has(entity)).toBe(true);
  });

  it('clears all that is retained of a stream that goes, also when it goes between two runs', async () => {
    const broker = await Mosquitto.start(tempFolder());
    const { topics } = await broker.listen();
    const folder = tempFolder();
    const first = await rig(broker, folder);
    first.streams = [
      { id: 'cam1', zones: DOOR },
      { id: 'cam2', zones: {} },
    ];
    await waitFor(() => expect(topics.has('homeassistant/sensor/presage_cam2_next_event/config')).toBe(true));
    first.streams = [{ id: 'cam1', zones: {} }];
    await waitFor(() => expect([...topics.keys()].filter((topic) => /cam2|door/.test(topic))).toEqual([]));
    expect(topics.get('presage/cam1/all/all')).toBe('0');
    await first.close();
    expect(topics.get('presage/available')).toBe('offline');
    const second = await rig(broker, folder, { streams: () => [] });
    await waitFor(() => expect([...topics.keys()]).toEqual(['presage/available']));
    expect(second.errors).toEqual([]);
  });

  it('tells after a broker that was killed everything that came meanwhile, in order', async () => {
    const broker = await Mosquitto.start(tempFolder());
    const { publisher, bridge } = await rig(broker, tempFolder());
    await waitFor(() => expect(bridge.stats().connected).toBe(true));
    await broker.kill();
    await waitFor(() => expect(bridge.stats().connected).toBe(false));
    publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2), eventDraft(3, 3), objectsDraft(3, 1)]);
    await broker.run();
    const { heard, topics } = await broker.listen();
    await waitFor(() => expect(topics.get('presage/cam1/all/person')).toBe('1'));
    publisher.publish(eventDraft(4, 4));
    const events = (): unknown[] =>
      heard.flatMap(([topic, text]) =>
        topic === 'presage/cam1/events' ? [(JSON.parse(text) as { subject: string }).subject] : [],
      );
    await waitFor(() => expect(events().at(-1)).toBe('e4'));
    // Whatever the broker had taken before we listened again came before, and it took everything.
    expect(events()).toEqual(['e1', 'e2', 'e3', 'e4'].slice(-events().length));
    expect(bridge.stats()).toMatchObject({ behind: 0, dropped: 0 });
    expect(topics.get('presage/available')).toBe('online');
  });

  it('says that it is not let in, and goes on trying', async () => {
    const broker = await Mosquitto.start(tempFolder());
    const { bridge, errors } = await rig(broker, tempFolder(), { password: 'wrong' });
    await waitFor(() => expect(bridge.stats().problem).toMatch(/not authorized/i));
    await waitFor(() => expect(errors).toHaveLength(1));
  });
});
