/** Requests that are malformed, too large, too slow or out of place, over real sockets. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PresageError } from '../../../src/core/errors.js';
import type { StreamControl } from '../../../src/transport/http/streams/stream-control.js';
import { startService } from '../../support/transport/service.js';

const NOWHERE = { zones: {}, lines: {} };
/** Takes everything; that streams really change is tested where they really run. */
function willing(): StreamControl & { made: unknown[] } {
  const made: unknown[] = [];
  return {
    made,
    create: (stream) => Promise.resolve(void made.push(stream)),
    change: (id, change) => Promise.resolve(void made.push({ id, ...change })),
    remove: () => Promise.resolve(),
    places: () => NOWHERE,
  };
}

async function send(
  url: string,
  method: string,
  body?: string,
  type = 'application/json',
): Promise<{ status: number; code?: string; message: string; headers: Response['headers'] }> {
  const init = body === undefined ? {} : { body, headers: { 'content-type': type } };
  const reply = await fetch(url, { method, ...init });
  const text = await reply.text();
  const { error } = (text === '' ? {} : JSON.parse(text)) as { error?: { code: string; message: string } };
  return { status: reply.status, message: '', ...error, headers: reply.headers };
}

function open(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function answerTo(socket: Socket): Promise<string> {
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('a body', () => {
  const triangle = [
    [0, 0],
    [1, 0],
    [0, 1],
  ];
  const cases: [what: string, body: unknown, message: RegExp][] = [
    ['that is no object', [1], /Send a JSON object/],
    ['with a field that does not exist', { id: 'a', source: 'x', colour: 1 }, /no field "colour"/],
    ['without what is needed', { id: 'a' }, /^source: /],
    ['with an id that could be a path', { id: '../a', source: 'x' }, /^id: expected letters/],
    [
      'with a zone outside the frame',
      {
        id: 'a',
        source: 'x',
        zones: {
          z: [
            [0, 0],
            [2, 0],
            [0, 1],
          ],
        },
      },
      /^zones\.z\.1\.0: /,
    ],
    [
      'with a zone of two corners',
      { id: 'a', source: 'x', zones: { z: triangle.slice(1) } },
      /at least 3 corners/,
    ],
    [
      'with a zone that is a line',
      {
        id: 'a',
        source: 'x',
        zones: {
          z: [
            [0, 0],
            [0.5, 0.5],
            [1, 1],
          ],
        },
      },
      /enclose nothing/,
    ],
    [
      'with a zone whose name is not one',
      { id: 'a', source: 'x', zones: { 'a\nb': triangle } },
      /^zones\..*/,
    ],
    [
      'with a line that is a point',
      {
        id: 'a',
        source: 'x',
        lines: {
          l: [
            [0, 0],
            [0, 0],
          ],
        },
      },
      /one point/,
    ],
  ];
  it.each(cases)('%s is answered with 400 that names the field', async (_what, body, message) => {
    const control = willing();
    const { http } = await startService({ server: { control } });
    const answer = await send(`${http}/v1/streams`, 'POST', JSON.stringify(body));
    expect(answer).toMatchObject({ status: 400, code: 'bad_request' });
    expect(answer.message).toMatch(message);
    expect(control.made).toEqual([]);
  });

  it('that is not JSON, of another type, too large, empty, or says nothing is refused, each in the same form', async () => {
    const { http } = await startService({ server: { control: willing() } });
    const streams = `${http}/v1/streams`;
    expect(await send(streams, 'POST', '{"id":')).toMatchObject({
      status: 400,
      code: 'bad_request',
      message: 'The body is not JSON',
    });
    expect(await send(streams, 'POST', '<xml/>', 'text/xml')).toMatchObject({
      status: 415,
      code: 'bad_request',
    });
    const large = JSON.stringify({ id: 'a', source: 'x'.repeat(300_000) });
    expect(await send(streams, 'POST', large)).toMatchObject({ status: 413, code: 'bad_request' });
    expect(
      await send(`${http}/v1/streams/cam1/ask`, 'POST', JSON.stringify({ question: 'x'.repeat(5000) })),
    ).toMatchObject({ status: 413 });
    expect(await send(streams, 'POST', '')).toMatchObject({ status: 400, message: 'The body is empty' });
    expect(await send(`${streams}/cam1`, 'PATCH', '{}')).toMatchObject({
      status: 400,
      message: 'expected at least one field to change',
    });
    expect(await send(`${streams}/none`, 'PATCH', '{"paused":true}')).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });
});

describe('a path', () => {
  it('that does not take the method says with 405 which ones it takes', async () => {
    const { http } = await startService({ server: { control: willing() } });
    const answer = await send(`${http}/v1/streams/cam1`, 'POST', '{}');
    expect(answer).toMatchObject({ status: 405, code: 'bad_request' });
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH']);
    expect(await send(`${http}/healthz`, 'DELETE')).toMatchObject({ status: 405 });
    expect(await send(`${http}/v1/nothing`, 'DELETE')).toMatchObject({ status: 404 });
  });

  it('answers HEAD like GET, without the body', async () => {
    const { http } = await startService();
    const reply = await fetch(`${http}/v1/streams`, { method: 'HEAD' });
    expect([reply.status, await reply.text()]).toEqual([200, '']);
    expect(Number(reply.headers.get('content-length'))).toBeGreaterThan(0);
  });

  it.each(['..%2f..%2fpresage.yaml', '..', '%2e%2e%2fx', 'e1%00', 'e1.jpg', '....//e1', '%5c..%5cx'])(
    'of a picture never leads out of the evidence: %s',
    async (name) => {
      const asked: string[] = [];
      const picture = (_stream: string, event: string): undefined => void asked.push(event);
      const { port } = await startService({ server: { picture } });
      // A raw socket: fetch would mend the path first.
      const get = `GET /v1/streams/cam1/evidence/${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      expect(await answerTo(open(port, get))).toMatch(/^HTTP\/1\.1 40[04] .*"error":\{"code"/s);
      expect(asked).toEqual([]);
    },
  );
});

describe('what goes wrong in a route', () => {
  it.each([
    ['conflict', 409],
    ['forbidden', 403],
    ['overloaded', 503],
    ['source_not_found', 400],
  ] as const)('is told with its code: %s is %i', async (code, status) => {
    const control = willing();
    control.create = () => Promise.reject(new PresageError(code, 'no, rtsp://me:pass@cam'));
    const { http } = await startService({ server: { control } });
    const answer = await send(`${http}/v1/streams`, 'POST', '{"id": "a", "source": "rtsp://x"}');
    expect(answer).toMatchObject({ status, code, message: 'no, rtsp://***@cam' });
    expect(answer.headers.has('retry-after')).toBe(status === 503);
  });

  it('is hidden when it is the fault of the service', async () => {
    const control = willing();
    control.create = () => Promise.reject(new PresageError('storage_failed', '/data/secret'));
    const { http } = await startService({ server: { control } });
    const answer = await send(`${http}/v1/streams`, 'POST', '{"id": "a", "source": "rtsp://x"}');
    expect(answer).toMatchObject({ status: 500, code: 'storage_failed' });
    expect(answer.message).not.toContain('secret');
  });
});

describe('a client that sends slowly', () => {
  it.each([
    ['its headers', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    [
      'its body',
      'POST /v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    ],
  ])('%s is answered with 408 and hung up, whatever trickles in', async (_what, begin) => {
    const { port, http } = await startService({ server: { control: willing(), requestTimeoutMs: 300 } });
    const socket = open(port, begin);
    const trickle = setInterval(() => socket.write('a'), 20);
    const answer = await answerTo(socket);
    clearInterval(trickle);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"error":\{"code":"bad_request"/s);
    expect((await fetch(`${http}/healthz`)).status).toBe(200);
  });

  it('cannot take all connections: those beyond the bound are hung up, and others are answered once slow ones went', async () => {
    const { port, http } = await startService({ server: { maxClients: 1, requestTimeoutMs: 1000 } });
    const sockets = Array.from({ length: 600 }, () => open(port, 'GET / HTTP/1.1\r\n'));
    const gone = sockets.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
    await Promise.all(gone);
    await vi.waitFor(async () => expect((await fetch(`${http}/healthz`)).status).toBe(200), 5000);
  });

  it('or sends headers without end, or no HTTP at all, is told so', async () => {
    const { port } = await startService();
    const large = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await answerTo(open(port, large))).toMatch(/^HTTP\/1\.1 431 .*"error":\{"code":"bad_request"/s);
    expect(await answerTo(open(port, 'NONSENSE\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 .*This is no HTTP/s);
  });
});
