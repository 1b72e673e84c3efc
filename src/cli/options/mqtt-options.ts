import { z } from 'zod';
import { flag, LIVE, option, optionalText } from './option-spec.js';

/** A level of a topic, or several, without what MQTT gives a meaning to. */
const prefix = z.string().regex(/^[^+#/\s]+(?:\/[^+#/\s]+)*$/);

/** Options of the MQTT broker. */
export const MQTT_OPTIONS = {
  mqttUrl: option({
    flag: 'mqtt-url',
    value: 'URL',
    env: 'PRESAGE_MQTT_URL',
    yaml: 'mqtt.url',
    schema: z.url({ protocol: /^mqtts?$/ }).optional(),
    expected: 'an address such as mqtt://broker or mqtts://broker:8883',
    fallback: undefined,
    description: 'publish events, predictions and the occupancy of zones to an MQTT broker',
    commands: LIVE,
    secret: true,
  }),
  mqttUser: option({
    flag: 'mqtt-user',
    value: 'NAME',
    env: 'PRESAGE_MQTT_USER',
    yaml: 'mqtt.user',
    schema: optionalText,
    expected: 'a user name',
    fallback: undefined,
    description: 'user at that broker',
    commands: LIVE,
  }),
  mqttPassword: option({
    flag: 'mqtt-password',
    value: 'SECRET',
    env: 'PRESAGE_MQTT_PASSWORD',
    yaml: 'mqtt.password',
    schema: optionalText,
    expected: 'a password',
    fallback: undefined,
    description: 'password at that broker (better by environment than by flag)',
    commands: LIVE,
    secret: true,
  }),
  mqttTopic: option({
    flag: 'mqtt-topic',
    value: 'NAME',
    env: 'PRESAGE_MQTT_TOPIC',
    yaml: 'mqtt.topic',
    schema: prefix,
    expected: 'levels of a topic without + and #',
    fallback: 'presage',
    description: 'first levels of all topics',
    commands: LIVE,
  }),
  mqttDiscovery: option({
    flag: 'mqtt-discovery',
    env: 'PRESAGE_MQTT_DISCOVERY',
    yaml: 'mqtt.discovery',
    schema: flag,
    expected: 'true or false',
    fallback: true,
    description: 'announce sensors to Home Assistant',
    commands: LIVE,
  }),
  mqttDiscoveryTopic: option({
    flag: 'mqtt-discovery-topic',
    value: 'NAME',
    env: 'PRESAGE_MQTT_DISCOVERY_TOPIC',
    yaml: 'mqtt.discoveryTopic',
    schema: prefix,
    expected: 'levels of a topic without + and #',
    fallback: 'homeassistant',
    description: 'first levels of the discovery topics of Home Assistant',
    commands: LIVE,
  }),
};
