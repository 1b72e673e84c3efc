import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { createServer } from '../../../src/transport/http/server.js';
import type { TransportLogger } from '../../../src/transport/transport-logger.js';
import { eventDraft, scorecardDraft } from '../../support/transport/drafts.js';
import { startService } from '../../support/transport/service.js';
import { refusedUpgrade, WsClient } from '../../support/transport/ws-client.js';

const TOKEN = 'correct-horse-battery';
const json = async (
  url: string,
  init?: RequestInit,
): Promise<{ status: number; body: Record<string, unknown> }> => {
  const reply = await fetch(url, init);
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

/** Sends raw bytes and returns everything that comes back. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('the HTTP API', () => {
  it('tells how the service is', async () => {
    const { http, streams } = await startService();
    expect(await json(`${http}/healthz`)).toMatchObject({
      status: 200,
      body: {
        status: 'ok',
        version: '0.1.0',
        perception: { model: 'nanodet', device: 'cpu' },
        drops: 3,
        clients: { connected: 0, sent: 0, dropped: 0 },
        streams: [{ id: 'cam1', state: 'live' }],
      },
    });
    streams[0] = { id: 'cam1', source: 'cam.mp4', state: 'reconnecting', reason: 'no frame for 5 s' };
    expect(await json(`${http}/healthz`)).toMatchObject({ status: 200, body: { status: 'degraded' } });
  });

  it('is ready once a stream is live', async () => {
    const { http, streams } = await startService();
    expect(await json(`${http}/readyz`)).toEqual({ status: 200, body: { ready: true } });
    streams[0] = { id: 'cam1', source: 'cam.mp4', state: 'connecting' };
    expect(await json(`${http}/readyz`)).toEqual({
      status: 503,
      body: { ready: false, reason: 'no_stream' },
    });
  });

  it('lists streams with what is kept of them', async () => {
    const { http, publisher, log } = await startService();
    expect(await json(`${http}/v1/streams/cam1`)).toMatchObject({
      body: { firstSequence: null, lastSequence: null },
    });
    publisher.publishAll([eventDraft(1, 1), eventDraft(2, 2)]);
    log.flush();
    const expected = {
      id: 'cam1',
      state: 'live',
      firstSequence: '0000000001',
      lastSequence: '0000000002',
      events: '/v1/streams/cam1/events',
    };
    expect(await json(`${http}/v1/streams`)).toMatchObject({ status: 200, body: { streams: [expected] } });
    expect(await json(`${http}/v1/streams/cam1`)).toMatchObject({ status: 200, body: expected });
  });

  it('gives the latest scorecard as it was sent', async () => {
    const { http, publisher, log } = await startService();
    const url = `${http}/v1/streams/cam1/scorecard`;
    expect(await json(url)).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    publisher.publishAll([scorecardDraft(1), scorecardDraft(2), eventDraft(3, 3)]);
    log.flush();
    expect(await json(url)).toMatchObject({
      status: 200,
      body: { type: 'presage.scorecard.updated.v1', sequence: '0000000002', mediatime: 2 },
    });
  });

  it('gives metrics in the text format of Prometheus', async () => {
    const { http, publisher, log } = await startService();
    publisher.publish(eventDraft(1, 1));
    log.flush();
    const text = await (await fetch(`${http}/metrics`)).text();
    expect(text).toMatch(/^presage_log_messages_total 1$/m);
    expect(await (await fetch(`${http}/metrics`)).text()).toMatch(/^presage_log_messages_total 1$/m);
    expect(text).toMatch(/^presage_clients 0$/m);
  });

  it('answers what it does not have with 404 and a code', async () => {
    const { http } = await startService();
    for (const path of ['/nothing', '/v1/streams/none', '/v1/streams/none/scorecard', '/v1/streams/..%2Fx']) {
      expect(await json(http + path)).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    }
  });

  it('answers malformed requests with 400 and goes on', async () => {
    const { http, port } = await startService();
    expect(await raw(port, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(port, 'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 .*bad_request/s,
    );
    expect((await json(`${http}/healthz`)).status).toBe(200);
  });

  it('hides what went wrong inside, but logs it', async () => {
    const error = vi.fn<TransportLogger['error']>();
    const logger: TransportLogger = { debug: () => undefined, info: () => undefined, error };
    const { http, log } = await startService({ server: { logger } });
    vi.spyOn(log, 'latest').mockImplementation(() => {
      throw new Error('secret path');
    });
    const reply = await json(`${http}/v1/streams/cam1/scorecard`);
    expect(reply).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
    expect(JSON.stringify(reply.body)).not.toContain('secret');
    expect(error.mock.calls[0]?.[0]).toMatchObject({ error: 'secret path' });
  });

  it('sets security headers', async () => {
    const { http } = await startService();
    const { headers } = await fetch(`${http}/healthz`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('who is let in', () => {
  it('wants the token everywhere but for the bare probes', async () => {
    const { http, events } = await startService({ server: { token: TOKEN } });
    for (const path of [
      '/',
      '/metrics',
      '/v1/streams',
      '/v1/streams/cam1',
      '/v1/streams/cam1/scorecard',
      '/nothing',
    ]) {
      expect(await json(http + path), path).toMatchObject({
        status: 401,
        body: { error: { code: 'unauthorized' } },
      });
    }
    expect(await json(`${http}/healthz`)).toEqual({ status: 200, body: { status: 'ok', version: '0.1.0' } });
    expect(await json(`${http}/readyz`)).toEqual({ status: 200, body: { ready: true } });
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await json(`${http}/v1/streams`, { headers })).status).toBe(200);
    expect((await json(`${http}/healthz?access_token=${TOKEN}`)).body).toHaveProperty('streams');

    expect((await refusedUpgrade(events())).status).toBe(401);
    const wrong = await refusedUpgrade(events('access_token=wrong'));
    expect(wrong.status).toBe(401);
    expect(JSON.parse(wrong.body)).toMatchObject({ error: { code: 'unauthorized' } });
    await new WsClient(events(`access_token=${TOKEN}`)).opened();
    await new WsClient(events(), { headers }).opened();
  });

  it('never logs the token', async () => {
    const lines: string[] = [];
    const note = (fields: object, text: string): void => void lines.push(JSON.stringify(fields) + text);
    const logger: TransportLogger = { debug: note, info: note, error: note };
    const { http, events } = await startService({ server: { token: TOKEN, logger } });
    await fetch(`${http}/v1/streams?access_token=${TOKEN}`);
    await fetch(`${http}/nothing?x=1&access_token=${TOKEN}`);
    await new WsClient(events(`access_token=${TOKEN}`)).opened();
    await refusedUpgrade(`${events()}x?access_token=${TOKEN}`);
    expect(lines.filter((line) => line.includes('/v1/streams'))).not.toEqual([]);
    expect(lines.join('\n')).not.toContain(TOKEN);
  });

  it('refuses pages of another origin and names that only DNS rebinding would send', async () => {
    const { http, port, events } = await startService({
      server: { allowedOrigins: ['http://localhost:5173'] },
    });
    const host = `127.0.0.1:${port}`;
    expect((await refusedUpgrade(events(), { headers: { origin: 'https://evil.example' } })).status).toBe(
      403,
    );
    expect((await refusedUpgrade(events(), { headers: { host: `evil.example:${port}` } })).status).toBe(403);
    await new WsClient(events(), { headers: { origin: `http://${host}` } }).opened();
    await new WsClient(events(), { headers: { origin: 'http://localhost:5173' } }).opened();
    expect((await json(`${http}/healthz`, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
    const reply = await fetch(`${http}/healthz`, { headers: { origin: 'http://localhost:5173' } });
    expect(reply.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  });

  it('will not open to other machines without a token', async () => {
    const { hub, log, registry } = await startService();
    const status = { service: () => ({ version: '0' }), streams: () => [] };
    const open = (host: string): unknown => createServer({ host, port: 0, hub, log, registry, status });
    expect(() => open('0.0.0.0')).toThrow(expect.objectContaining({ code: 'bad_option' }));
    expect(() => open('::')).toThrow(expect.objectContaining({ code: 'bad_option' }));
    expect(() => createServer({ port: 70_000, hub, log, registry, status })).toThrow(/65535/);
  });
});

describe('the WebSocket', () => {
  it('is not there for an unknown stream or path', async () => {
    const { port } = await startService();
    const unknown = await refusedUpgrade(`ws://127.0.0.1:${port}/v1/streams/none/events`);
    expect(unknown.status).toBe(404);
    expect(JSON.parse(unknown.body)).toEqual({
      error: { code: 'not_found', message: 'There is no stream "none"' },
    });
    for (const path of ['/', '/v1/streams/%zz/events', '/v1/streams//events']) {
      expect((await refusedUpgrade(`ws://127.0.0.1:${port}${path}`)).status).toBe(404);
    }
  });

  it('closes with 1008 and says why when the subscription makes no sense', async () => {
    const { events } = await startService();
    for (const query of ['from=newest', 'types=nonsense', 'objects_rate=many']) {
      const client = new WsClient(events(query));
      await once(client.socket, 'close');
      expect(client.closed).toEqual({
        code: 1008,
        reason: expect.stringMatching(/^(from|types|objects_rate)/) as string,
      });
    }
  });

  it('ends a client that sends too much', async () => {
    const { events, server } = await startService();
    const client = await new WsClient(events()).opened();
    client.socket.send('x'.repeat(100));
    client.socket.send('x'.repeat(20_000));
    await once(client.socket, 'close');
    expect(client.closed?.code).toBe(1009);
    await vi.waitFor(() => expect(server.clients).toBe(0));
  });

  it('admits no more clients than it may, and again when one has left', async () => {
    const { events, server } = await startService({ server: { maxClients: 1 } });
    const first = await new WsClient(events()).opened();
    const refused = await refusedUpgrade(events());
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'overloaded' } });
    first.socket.close();
    await vi.waitFor(() => expect(server.clients).toBe(0));
    await new WsClient(events()).opened();
  });

  it('ends clients that answer no ping and keeps those that do', async () => {
    const { events, hub, server } = await startService({ server: { heartbeatMs: 40 } });
    const dead = await new WsClient(events(), { autoPong: false }).opened();
    const alive = await new WsClient(events()).opened();
    await once(dead.socket, 'close');
    expect(dead.closed?.code).toBe(1006);
    await once(alive.socket, 'ping');
    await once(alive.socket, 'ping');
    expect(server.clients).toBe(1);
    expect(hub.stats().subscribers).toBe(1);
  });
});

describe('closing', () => {
  it('sends what waits, then 1001, and is done within 2 s even when a client does not answer', async () => {
    const { server, publisher, log, events, hub, http } = await startService();
    const polite = await new WsClient(events()).opened();
    const deaf = await new WsClient(events()).opened();
    deaf.socket.pause();
    publisher.publish(eventDraft(1, 1));
    log.flush();
    const started = performance.now();
    await Promise.all([server.close(), server.close()]);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(polite.closed).toEqual({ code: 1001, reason: 'the server is shutting down' });
    expect(polite.sequences()).toEqual([1]);
    expect(server.clients).toBe(0);
    expect(hub.stats().subscribers).toBe(0);
    await expect(fetch(`${http}/healthz`)).rejects.toThrow();
  });

  it('says port_in_use, and what to do, when the port is taken', async () => {
    const { port, hub, log, registry, http } = await startService();
    const status = { service: () => ({ version: '0' }), streams: () => [] };
    const second = createServer({ port, hub, log, registry, status });
    await expect(second.listen()).rejects.toMatchObject({
      code: 'port_in_use',
      hint: expect.stringContaining('another port') as string,
    });
    expect((await json(`${http}/healthz`)).status).toBe(200);
  });
});

describe('asking over HTTP', () => {
  const answer = { question: 'who is here?', text: 'Person #1.', evidence: [], confidence: 0.8 };
  const post = (
    http: string,
    body: unknown,
    id = 'cam1',
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(`${http}/v1/streams/${id}/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('answers, and says what it did not understand with examples', async () => {
    const { http } = await startService({
      server: {
        ask: (_, question) =>
          Promise.resolve(
            question === answer.question
              ? { understood: true as const, answer, by: 'grammar' }
              : { understood: false as const, problem: 'what?', examples: ['who is here?'], text: 'what?' },
          ),
      },
    });
    const good = await post(http, { question: answer.question });
    expect(good.status).toBe(200);
    expect(await good.json()).toMatchObject({
      type: 'presage.answer.created.v1',
      data: answer,
      by: 'grammar',
    });
    const bad = await post(http, { question: 'hm' });
    expect(bad.status).toBe(422);
    expect(await bad.json()).toMatchObject({ error: { code: 'bad_request', examples: ['who is here?'] } });
    expect((await post(http, { question: '' })).status).toBe(400);
    expect((await post(http, { question: 'x'.repeat(501) })).status).toBe(400);
    expect((await post(http, { question: 'who is here?' }, 'nope')).status).toBe(404);
  });

  it('needs the token where one is set', async () => {
    const { http } = await startService({
      server: {
        token: 'a-token-of-some-length',
        ask: () => Promise.resolve({ understood: true as const, answer, by: 'grammar' }),
      },
    });
    expect((await post(http, { question: 'who is here?' })).status).toBe(401);
    const headers = { authorization: 'Bearer a-token-of-some-length' };
    expect((await post(http, { question: 'who is here?' }, 'cam1', headers)).status).toBe(200);
  });
});
