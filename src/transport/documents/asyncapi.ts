import { CBOR_PROTOCOL, JSON_PROTOCOL } from '../../core/control.js';
import { jsonSchemaOf, publishedSchemas, type PublishedSchema } from './json-schema.js';
import { listeningQuery } from './operations/event-operations.js';

const CHANNELS = {
  allEvents: {
    address: '/v1/events',
    title: 'All streams',
    description: 'All streams that the token may read. Nothing comes until the client subscribes.',
  },
  streamEvents: {
    address: '/v1/streams/{id}/events',
    title: 'One stream',
    description: 'The query is a subscription; without one, everything comes from now on.',
    parameters: { id: { description: 'The name of the stream' } },
  },
} as const;
type ChannelName = keyof typeof CHANNELS;

/** The AsyncAPI 3.0 document of the WebSockets. */
export function asyncApiDocument(): object {
  const schemas = publishedSchemas();
  const names = Object.keys(CHANNELS) as ChannelName[];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Presage: messages',
      version: '1',
      description: `What a client of a Presage service hears and says over a WebSocket. Subprotocol \`${JSON_PROTOCOL}\` (also without one): text frames; \`${CBOR_PROTOCOL}\`: binary frames of the same structure. Ignore fields and types that you do not know.`,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    ...asyncApiServers(''),
    channels: Object.fromEntries(names.map((name) => [name, channel(name, schemas)])),
    operations: Object.fromEntries(names.flatMap((name) => operations(name, schemas))),
    components: { messages: Object.fromEntries(schemas.map((one) => [keyOf(one), message(one)])) },
  };
}

/** The `servers` of the document. */
export function asyncApiServers(basePath: string): object {
  const local = { host: '127.0.0.1:7878', protocol: 'ws', description: 'Where it listens by default' };
  return { servers: { local: basePath === '' ? local : { ...local, pathname: basePath } } };
}

function channel(name: ChannelName, schemas: readonly PublishedSchema[]): object {
  const messages = schemas.map((one) => [keyOf(one), { $ref: `#/components/messages/${keyOf(one)}` }]);
  return {
    ...CHANNELS[name],
    messages: Object.fromEntries(messages) as object,
    bindings: { ws: { method: 'GET', query: jsonSchemaOf(listeningQuery), bindingVersion: '0.1.0' } },
  };
}

function operations(name: ChannelName, schemas: readonly PublishedSchema[]): [string, object][] {
  const refs = (sentBy: PublishedSchema['sentBy']): object[] =>
    schemas
      .filter((one) => one.sentBy === sentBy)
      .map((one) => ({ $ref: `#/channels/${name}/messages/${keyOf(one)}` }));
  const on = { $ref: `#/channels/${name}` };
  return [
    [
      `${name}Send`,
      { action: 'send', channel: on, summary: 'Messages of the service', messages: refs('server') },
    ],
    [
      `${name}Receive`,
      { action: 'receive', channel: on, summary: 'Messages of a client', messages: refs('client') },
    ],
  ];
}

function message({ name, schema }: PublishedSchema): object {
  return { name, title: name, payload: schema };
}

/** Keys of components are made of letters, digits, `.`, `-` and `_`. */
function keyOf({ name }: PublishedSchema): string {
  return name.replace(/[^A-Za-z0-9]+/g, '_');
}
