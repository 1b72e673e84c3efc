/** Tokens with scopes at a real server: who sees what, and what happens when a token is revoked. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Scope } from '../../../src/transport/access/scopes.js';
import { TokenFolder } from '../../../src/transport/access/token-folder.js';
import { TokenWatch } from '../../../src/transport/access/token-watch.js';
import type { ServerFeature } from '../../../src/transport/http/feature.js';
import type { ServerOptions } from '../../../src/transport/http/server.js';
import type { TransportLogger } from '../../../src/transport/transport-logger.js';
import { startService, type Service } from '../../support/transport/service.js';
import { tempFolder } from '../../support/transport/temp-folder.js';
import { refusedUpgrade, WsClient } from '../../support/transport/ws-client.js';

interface Guarded extends Service {
  folder: TokenFolder;
  /** Makes a token. */
  token: (name: string, ...scopes: Scope[]) => string;
}

async function startGuarded(server: Partial<ServerOptions> = {}): Promise<Guarded> {
  const folder = new TokenFolder(tempFolder());
  const tokens = new TokenWatch({ folder });
  onTestFinished(() => tokens[Symbol.dispose]());
  const service = await startService({ server: { tokens, ...server } });
  service.streams.push({ id: 'cam2', source: 'cam2.mp4', state: 'live' });
  return { ...service, folder, token: (name, ...scopes) => folder.create(name, scopes, undefined) };
}

async function ask(
  url: string,
  token?: string,
  init: RequestInit = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Response['headers'] }> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  const reply = await fetch(url, { ...init, headers });
  const body = (await reply.json()) as Record<string, unknown>;
  return { status: reply.status, body, headers: reply.headers };
}

/** An answer that never ends, as of video or Server-Sent Events. */
const endless: ServerFeature = {
  register(app) {
    app.get('/v1/streams/:id/endless', (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200).write('begun');
    });
    app.post('/v1/streams/:id/publish', { config: { access: 'publish' } }, ({ identity }) => ({
      by: identity?.name,
    }));
    app.post('/v1/change', () => ({ done: true }));
  },
};

describe('a token with scopes', () => {
  it('opens what it names and nothing else', async () => {
    const { http, events, token } = await startGuarded({ features: [endless] });
    const read = token('reader', 'read:cam1');
    const publish = token('camera', 'publish:cam2');
    const admin = token('owner', 'admin');
    const post = { method: 'POST' };
    const cases: [path: string, init: RequestInit, token: string, status: number][] = [
      ['/v1/streams/cam1', {}, read, 200],
      ['/v1/streams/cam2', {}, read, 403],
      ['/v1/streams/none', {}, read, 403],
      ['/v1/streams/cam1', {}, publish, 403],
      ['/v1/streams', {}, publish, 403],
      ['/v1/streams/cam2/publish', post, publish, 200],
      ['/v1/streams/cam1/publish', post, publish, 403],
      ['/v1/streams/cam1/publish', post, read, 403],
      ['/v1/change', post, read, 403],
      ['/v1/change', post, admin, 200],
      ['/metrics', {}, read, 403],
      ['/v1/streams/cam2/publish', post, admin, 200],
      ['/v1/streams/none', {}, admin, 404],
    ];
    for (const [path, init, shown, status] of cases) {
      const reply = await ask(http + path, shown, init);
      expect(reply.status, `${init.method ?? 'GET'} ${path}`).toBe(status);
      if (status === 403) expect(reply.body).toMatchObject({ error: { code: 'forbidden' } });
    }
    expect((await fetch(`${http}/metrics`, { headers: { authorization: `Bearer ${admin}` } })).status).toBe(
      200,
    );
    await new WsClient(events(`access_token=${read}`)).opened();
    const refused = await refusedUpgrade(events(`access_token=${publish}`));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'forbidden' } });
  });

  it('sees only its own streams in lists', async () => {
    const { http, token } = await startGuarded();
    const read = token('reader', 'read:cam2');
    const ids = (body: Record<string, unknown>): string[] =>
      (body['streams'] as { id: string }[]).map(({ id }) => id);
    expect(ids((await ask(`${http}/v1/streams`, read)).body)).toEqual(['cam2']);
    expect(ids((await ask(`${http}/healthz`, read)).body)).toEqual(['cam2']);
    const all = token('all', 'read:*');
    expect(ids((await ask(`${http}/v1/streams`, all)).body)).toEqual(['cam1', 'cam2']);
  });

  it('is told what it lacks, as RFC 6750 wants it', async () => {
    const { http, token } = await startGuarded();
    const read = token('reader', 'read:cam2');
    expect((await ask(`${http}/v1/streams`)).headers.get('www-authenticate')).toBe('Bearer');
    expect((await ask(`${http}/v1/streams`, 'wrong')).headers.get('www-authenticate')).toBe(
      'Bearer error="invalid_token"',
    );
    const refused = await ask(`${http}/v1/streams/cam1`, read);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", scope="read:cam1"',
    );
    expect(refused.body).toMatchObject({
      error: { message: expect.stringContaining('read:cam1') as string },
    });
  });
});

describe('the first token', () => {
  it('closes a loopback service that was open, and ends what was open without one', async () => {
    const { http, events, token, folder } = await startGuarded();
    expect((await ask(`${http}/v1/streams`)).status).toBe(200);
    const client = await new WsClient(events()).opened();
    const read = token('first', 'read:*');
    await once(client.socket, 'close');
    expect(client.closed?.code).toBe(1008);
    expect((await ask(`${http}/v1/streams`)).status).toBe(401);
    expect((await ask(`${http}/v1/streams`, read)).status).toBe(200);
    folder.revoke('first');
    await vi.waitFor(async () => expect((await ask(`${http}/v1/streams`, read)).status).toBe(401), 1000);
    expect((await ask(`${http}/v1/streams`)).status).toBe(401);
  });

  it('is enough to bind other addresses than loopback', async () => {
    const folder = new TokenFolder(tempFolder());
    const token = folder.create('first', ['read:*'], undefined);
    const tokens = new TokenWatch({ folder });
    onTestFinished(() => tokens[Symbol.dispose]());
    const { http } = await startService({ server: { tokens, host: '0.0.0.0' } });
    expect((await ask(`${http}/v1/streams`)).status).toBe(401);
    expect((await ask(`${http}/v1/streams`, token)).status).toBe(200);
  });
});

describe('a token that is revoked', () => {
  it('is of no use within a second, and what it had open ends', async () => {
    const { http, events, token, folder } = await startGuarded({ features: [endless] });
    const read = token('reader', 'read:*');
    token('other', 'read:*');
    const client = await new WsClient(events(`access_token=${read}`)).opened();
    const [answer] = (await once(
      get(`${http}/v1/streams/cam1/endless`, { headers: { authorization: `Bearer ${read}` } }),
      'response',
    )) as [IncomingMessage];
    await once(answer, 'data');
    const begun = performance.now();
    folder.revoke('reader');
    const video = once(answer, 'error');
    await Promise.all([once(client.socket, 'close'), video]);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(client.closed).toEqual({ code: 1008, reason: 'the token was revoked or has expired' });
    expect((await ask(`${http}/v1/streams`, read)).status).toBe(401);
  });
});

describe('wrong tokens', () => {
  it('are counted by address: guessing the fixed token ends in 429, made tokens go on working', async () => {
    const secret = 'correct-horse-battery';
    const { http, token } = await startGuarded({ token: secret });
    const read = token('reader', 'read:*');
    for (let i = 0; i < 10; i += 1) expect((await ask(`${http}/v1/streams`, `wrong-${i}`)).status).toBe(401);
    const limited = await ask(`${http}/v1/streams`, 'wrong-again');
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(limited.body).toMatchObject({ error: { code: 'overloaded' } });
    // Even the right one: otherwise the answer would tell which guess was right.
    expect((await ask(`${http}/v1/streams`, secret)).status).toBe(429);
    expect((await ask(`${http}/v1/streams`, read)).status).toBe(200);
    // No guess, no wait.
    expect((await ask(`${http}/v1/streams`)).status).toBe(401);
  });

  it('and right ones are never logged', async () => {
    const lines: string[] = [];
    const note = (fields: object, text: string): void => void lines.push(JSON.stringify(fields) + text);
    const { http, events, token } = await startGuarded({
      logger: { debug: note, info: note, error: note } satisfies TransportLogger,
    });
    const read = token('reader', 'read:*');
    await ask(`${http}/v1/streams`, read);
    await ask(`${http}/v1/streams?access_token=${read}`);
    await ask(`${http}/v1/streams?access_token=guess-of-mine`);
    await new WsClient(events(`access_token=${read}`)).opened();
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('\n')).not.toMatch(new RegExp(`${read}|guess-of-mine`));
  });
});

describe('too many requests', () => {
  it('are refused with 429 and how long to wait, for each token by itself', async () => {
    const { http, token } = await startGuarded({ requestsPerSecond: 1 });
    const [busy, calm] = [token('busy', 'read:*'), token('calm', 'read:*')];
    const replies = [];
    for (let i = 0; i < 6; i += 1) replies.push(await ask(`${http}/v1/streams`, busy));
    const refused = replies.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ error: { code: 'overloaded' } });
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect((await ask(`${http}/v1/streams`, calm)).status).toBe(200);
  });
});

describe('pages of another origin', () => {
  it('may ask beforehand, where they are allowed, and nowhere else', async () => {
    const { http, token } = await startGuarded({ allowedOrigins: ['https://dash.example'] });
    token('one', 'read:*');
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${http}/v1/streams`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://dash.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://dash.example');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    const foreign = await preflight('https://evil.example');
    expect(foreign.ok).toBe(false);
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });
});
