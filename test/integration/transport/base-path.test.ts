/** The HTTP API and the WebSockets below a path of a real reverse proxy. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startReverseProxy } from '../../support/transport/reverse-proxy.js';
import { startService, type Service, type ServiceOptions } from '../../support/transport/service.js';

const PREFIX = '/apps/presage';

interface Case {
  readonly server: NonNullable<ServiceOptions['server']>;
  readonly strips: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

const CASES: [string, Case][] = [
  ['that passes the path on', { server: { basePath: PREFIX }, strips: false }],
  ['that takes the path off', { server: { basePath: PREFIX }, strips: true }],
  ['that names the path', { server: {}, strips: true, headers: { 'x-forwarded-prefix': PREFIX } }],
  ['like the ingress of Home Assistant', { server: {}, strips: true, headers: { 'x-ingress-path': PREFIX } }],
];

async function behindProxy({ server, ...proxy }: Case): Promise<{ service: Service; origin: string }> {
  const service = await startService({ server });
  const { origin } = await startReverseProxy({ target: service.port, prefix: PREFIX, ...proxy });
  return { service, origin };
}

describe.each(CASES)('below a path of a proxy %s', (_, wish) => {
  it('links lead through the proxy', async () => {
    const { origin } = await behindProxy(wish);
    const { streams } = (await (await fetch(`${origin}${PREFIX}/v1/streams`)).json()) as {
      streams: { events: string; scorecard: string }[];
    };
    expect(streams[0]).toMatchObject({
      events: `${PREFIX}/v1/streams/cam1/events`,
      scorecard: `${PREFIX}/v1/streams/cam1/scorecard`,
    });
    expect((await fetch(`${origin}${PREFIX}/v1/streams/cam1`)).status).toBe(200);
  });

  it('the OpenAPI and AsyncAPI documents name the path', async () => {
    const { origin } = await behindProxy(wish);
    const read = async (name: string): Promise<object> =>
      (await (await fetch(`${origin}${PREFIX}/v1/${name}.json`)).json()) as object;
    expect(await read('openapi')).toMatchObject({ servers: [{ url: PREFIX }] });
    expect(await read('asyncapi')).toMatchObject({ servers: { local: { pathname: PREFIX } } });
  });

  it('a WebSocket is connected', async () => {
    const { origin } = await behindProxy(wish);
    const socket = new WebSocket(`${origin.replace('http', 'ws')}${PREFIX}/v1/streams/cam1/events`);
    await once(socket, 'open');
    socket.close();
    await once(socket, 'close');
  });
});

it('answers at the root and without a prefix as before', async () => {
  const { http } = await startService();
  const { streams } = (await (await fetch(`${http}/v1/streams`)).json()) as { streams: object[] };
  expect(streams[0]).toMatchObject({ events: '/v1/streams/cam1/events' });
});

it('ignores the prefix that a client sends which is not a trusted proxy', async () => {
  const { http } = await startService({ server: { trustedProxies: ['192.0.2.1'] } });
  const reply = await fetch(`${http}/v1/streams`, { headers: { 'x-forwarded-prefix': '/evil' } });
  expect(await reply.text()).not.toContain('evil');
});
