/** WHIP and WHEP over HTTP, with a real engine at both ends and no browser. */
import { readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TokenFolder } from '../../../src/transport/access/token-folder.js';
import { TokenWatch } from '../../../src/transport/access/token-watch.js';
import { startLiveServer } from '../../support/webrtc/live-server.js';
import { openClient } from '../../support/webrtc/offers.js';
import { tempFolder } from '../../support/transport/temp-folder.js';

const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';
/** 203.0.113.0/24 is for documentation: nobody answers there. */
const CANDIDATE = 'a=candidate:1 1 udp 2122260223 203.0.113.7 50000 typ host';

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of an error. */
  readonly code: unknown;
}

async function send(
  url: string,
  method: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const reply = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
  const text = await reply.text();
  const json =
    text !== '' && reply.headers.get('content-type')?.includes('json')
      ? (JSON.parse(text) as { error?: { code: string } })
      : {};
  return { status: reply.status, headers: reply.headers, text, code: json.error?.code };
}

const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Reply> =>
  send(url, 'POST', body, { 'content-type': SDP, ...headers });
const patch = (url: string, body: string, headers: Record<string, string> = {}): Promise<Reply> =>
  send(url, 'PATCH', body, { 'content-type': FRAGMENT, ...headers });

/** Leaves only a codec that the engine does not have. */
function onlyH264(offer: string): string {
  return offer
    .replace(/^(m=video \S+ \S+).*$/m, '$1 96')
    .replace(/^a=(?:rtpmap|rtcp-fb|fmtp):(?!96 ).*\r\n/gm, '')
    .replace('VP8/90000', 'H264/90000');
}

describe('what is posted', () => {
  it('answers an offer with 201, its address, an entity tag and the ICE servers', async () => {
    const server = await startLiveServer({
      iceServers: [
        { urls: 'stun:127.0.0.1:9' },
        { urls: 'turn:127.0.0.1:9?transport=udp', username: 'u', credential: 'a"b' },
      ],
    });
    const { offer } = await openClient();
    const reply = await post(`${server.http}/v1/streams/door/whip`, offer);
    expect(reply.status).toBe(201);
    expect(reply.headers.get('content-type')).toBe(SDP);
    expect(reply.headers.get('location')).toMatch(/^\/v1\/streams\/door\/whip\/[\w-]{24}$/);
    expect(reply.headers.get('etag')).toMatch(/^"[\w-]{12}"$/);
    expect(reply.headers.get('link')).toBe(
      '<stun:127.0.0.1:9>; rel="ice-server", <turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="u"; credential="a\\"b"; credential-type="password"',
    );
    expect(reply.text).toMatch(/^v=0\r\n[^]*m=video [^]*a=candidate:[^]*a=recvonly/);
    expect(server.streams.has('door')).toBe(true);
  });

  it('names the session below the path of a reverse proxy', async () => {
    const server = await startLiveServer({ server: { basePath: '/presage' } });
    const { offer } = await openClient();
    const reply = await post(`${server.http}/presage/v1/streams/door/whip`, offer);
    const location = reply.headers.get('location') ?? '';
    expect(location).toMatch(/^\/presage\/v1\/streams\/door\/whip\/[\w-]{24}$/);
    expect((await send(`${server.http}${location}`, 'DELETE')).status).toBe(200);
  });

  it.each([
    ['JSON', 'application/json', 415],
    ['plain text', 'text/plain', 415],
    ['a fragment', FRAGMENT, 415],
  ])('refuses %s', async (_name, type, status) => {
    const server = await startLiveServer();
    const { offer } = await openClient();
    const reply = await send(
      `${server.http}/v1/streams/door/whip`,
      'POST',
      type.includes('json') ? '{}' : offer,
      { 'content-type': type },
    );
    expect(reply).toMatchObject({ status, code: 'bad_request' });
  });

  it('refuses what is larger than an offer can be', async () => {
    const server = await startLiveServer();
    const reply = await post(`${server.http}/v1/streams/door/whip`, `v=0\r\n${'a=x\r\n'.repeat(20_000)}`);
    expect(reply.status).toBe(413);
  });

  it('refuses malformed offers, leaving nothing behind', async () => {
    const server = await startLiveServer();
    const { offer } = await openClient();
    const { offer: audio } = await openClient('sendonly', 'audio');
    const { offer: receiving } = await openClient('recvonly');
    const malformed = [
      '',
      'hello',
      'v=0\r\nnonsense\r\n',
      'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n',
      offer.replace(/^a=ice-pwd.*\r\n/gm, ''),
      offer.replace(/^a=fingerprint:.*$/gm, 'a=fingerprint:sha-256 nonsense'),
      offer.replace(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:x'),
      offer.replace(/^a=rtpmap:96.*$/gm, 'a=rtpmap:96 VP8/abc'),
      offer.replace(/^m=video.*$/gm, 'm=video x y'),
      offer + offer.slice(offer.indexOf('m=video')),
      offer + 'm=application 9 x 0\r\n'.repeat(20),
      audio,
      receiving,
    ];
    for (const [index, body] of malformed.entries()) {
      const reply = await post(`${server.http}/v1/streams/door/whip`, body);
      expect([index, reply.status]).toEqual([index, 400]);
      expect(reply.code).toBe('bad_request');
    }
    expect(server.engine.dump()).toEqual({ sessions: 0, halfOpen: 0, streams: 0, feeds: 0 });
    expect(server.streams.size).toBe(0);
  });

  it('says that none of the codecs can be taken', async () => {
    const server = await startLiveServer();
    const { offer } = await openClient();
    const reply = await post(`${server.http}/v1/streams/door/whip`, onlyH264(offer));
    expect(reply).toMatchObject({ status: 422, code: 'codec_unsupported' });
    expect(reply.text).toContain('H264');
  });

  it('refuses to publish to a stream with another source', async () => {
    const server = await startLiveServer({ others: ['file'] });
    const { offer } = await openClient();
    expect(await post(`${server.http}/v1/streams/file/whip`, offer)).toMatchObject({
      status: 409,
      code: 'conflict',
    });
  });

  it('shows no stream that is not there, and none without a picture', async () => {
    const server = await startLiveServer({ others: ['dark'] });
    const { offer } = await openClient('recvonly');
    expect(await post(`${server.http}/v1/streams/nope/whep`, offer)).toMatchObject({
      status: 404,
      code: 'not_found',
    });
    const dark = await post(`${server.http}/v1/streams/dark/whep`, offer);
    expect(dark).toMatchObject({ status: 409, code: 'source_unreachable' });
    expect(dark.headers.get('retry-after')).toBe('5');
  });

  it('tells what may be posted, and refuses every other method', async () => {
    const server = await startLiveServer();
    const url = `${server.http}/v1/streams/door/whip`;
    const options = await send(url, 'OPTIONS');
    expect(options.status).toBe(204);
    expect(options.headers.get('accept-post')).toBe(SDP);
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
      const reply = await send(url, method);
      expect([method, reply.status, reply.headers.get('allow')]).toEqual([method, 405, 'POST, OPTIONS']);
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'POST']) {
      expect([method, (await send(`${url}/any`, method)).status]).toEqual([method, 405]);
    }
  });
});

describe('a session', () => {
  async function begin() {
    const server = await startLiveServer();
    const { offer } = await openClient();
    const reply = await post(`${server.http}/v1/streams/door/whip`, offer);
    const etag = reply.headers.get('etag')!;
    const ufrag = /^a=ice-ufrag:.*$/m.exec(offer)![0].trim();
    const password = /^a=ice-pwd:.*$/m.exec(offer)![0].trim();
    const fragment = [ufrag, password, 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:0', CANDIDATE, ''].join(
      '\r\n',
    );
    return { server, url: `${server.http}${reply.headers.get('location')!}`, etag, fragment };
  }

  it('takes candidates from whoever names its entity tag', async () => {
    const { url, etag, fragment } = await begin();
    expect((await patch(url, fragment)).status).toBe(428);
    expect((await patch(url, fragment, { 'if-match': '"another"' })).status).toBe(412);
    expect((await patch(url, fragment, { 'if-match': `W/${etag}` })).status).toBe(412);
    expect((await patch(url, fragment, { 'if-match': etag })).status).toBe(204);
    expect((await patch(url, fragment, { 'if-match': `"another", ${etag}` })).status).toBe(204);
    expect((await patch(url, fragment, { 'if-match': etag, 'content-type': SDP })).status).toBe(415);
    expect((await patch(url, 'nonsense', { 'if-match': etag })).status).toBe(400);
    const broken = fragment.replace(CANDIDATE, 'a=candidate:1 1 udp x 203.0.113.7 50000 typ nothing');
    expect((await patch(url, broken, { 'if-match': etag })).status).toBe(400);
    const many = fragment + `${CANDIDATE}\r\n`.repeat(65);
    expect((await patch(url, many, { 'if-match': etag })).status).toBe(400);
  });

  it('restarts ICE for new credentials, and has another entity tag then', async () => {
    const { url, etag, fragment } = await begin();
    const restart = fragment
      .replace(/ufrag:.*/, 'ufrag:newU')
      .replace(/pwd:.*/, 'pwd:newPasswordOfTwentyTwo22');
    const reply = await patch(url, restart, { 'if-match': '*' });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe(FRAGMENT);
    expect(reply.text).toMatch(/a=ice-ufrag:\S+\r\na=ice-pwd:\S+\r\nm=video [^]*a=candidate:/);
    const renewed = reply.headers.get('etag')!;
    expect(renewed).not.toBe(etag);
    expect((await patch(url, restart, { 'if-match': etag })).status).toBe(412);
    expect((await patch(url, restart, { 'if-match': renewed })).status).toBe(204);
    const half = fragment.replace(/ufrag:.*/, 'ufrag:other').replace(/a=ice-pwd:.*\r\n/, '');
    expect((await patch(url, half, { 'if-match': renewed })).status).toBe(400);
  });

  it('ends once', async () => {
    const { server, url, etag, fragment } = await begin();
    expect((await send(url.replace('/door/', '/other/'), 'DELETE')).status).toBe(404);
    expect((await send(url.replace('/whip/', '/whep/'), 'DELETE')).status).toBe(404);
    expect((await send(url, 'DELETE')).status).toBe(200);
    expect((await send(url, 'DELETE')).status).toBe(404);
    expect((await patch(url, fragment, { 'if-match': etag })).status).toBe(404);
    expect(server.engine.dump()).toMatchObject({ sessions: 0, halfOpen: 0 });
  });
});

it('lets in who may publish to that stream, ends the session with the token, and tells pages what they need', async () => {
  const folder = new TokenFolder(tempFolder());
  const tokens = new TokenWatch({ folder });
  onTestFinished(() => tokens[Symbol.dispose]());
  const server = await startLiveServer({ server: { tokens } });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const camera = folder.create('camera', ['publish:door'], undefined);
  const reader = folder.create('reader', ['read:*'], undefined);
  const { offer } = await openClient();
  const url = `${server.http}/v1/streams/door/whip`;
  expect((await post(url, offer)).status).toBe(401);
  expect((await post(url, offer, bearer(reader))).status).toBe(403);
  expect((await post(url.replace('door', 'gate'), offer, bearer(camera))).status).toBe(403);
  expect(server.streams.size).toBe(0);

  const origin = new URL(server.page('x')).origin;
  const asks = {
    origin,
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'if-match',
  };
  const before = await send(url, 'OPTIONS', undefined, asks);
  expect(before.headers.get('access-control-allow-methods')).toContain('PATCH');
  expect(before.headers.get('access-control-allow-headers')).toContain('if-match');
  const begun = await post(url, offer, { ...bearer(camera), origin });
  expect(begun.status).toBe(201);
  expect(begun.headers.get('access-control-expose-headers')).toMatch(/etag.*link.*location/);
  folder.revoke('camera');
  await vi.waitFor(() => expect(server.engine.dump().sessions).toBe(0), 5000);
});

const threads = (): number => readdirSync('/proc/self/task').length;
const files = (): number => readdirSync('/proc/self/fd').length;

describe('offers whose ICE never completes', () => {
  it.skipIf(process.platform !== 'linux')('end by themselves and give back threads and sockets', async () => {
    const server = await startLiveServer({ connectMs: 400, maxHalfOpen: 4 });
    const { offer } = await openClient();
    const url = `${server.http}/v1/streams/door/whip`;
    const before = { threads: threads(), files: files() };
    const replies = await Promise.all(Array.from({ length: 60 }, () => post(url, offer)));
    const counts = new Map<number, number>();
    for (const { status } of replies) counts.set(status, (counts.get(status) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([201, 503]);
    const refused = replies.find(({ status }) => status === 503)!;
    expect(refused).toMatchObject({ code: 'overloaded' });
    expect(refused.headers.get('retry-after')).toBe('5');
    await vi.waitFor(() => expect(server.engine.dump()).toMatchObject({ sessions: 0, halfOpen: 0 }), 5000);
    await vi.waitFor(() => expect(threads()).toBeLessThanOrEqual(before.threads + 2), 5000);
    // Connections of HTTP that are kept alive are files, too.
    await vi.waitFor(() => expect(files()).toBeLessThanOrEqual(before.files + 2), 10_000);
    expect((await post(url, offer)).status).toBe(201);
  });
});
