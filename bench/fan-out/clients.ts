import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { quantile } from '../support/statistics.js';
import { monotonicS, type FromClients, type ToClients, type Way } from './wire.js';

/** Thousands of clients in one process, so that they take less than what is measured: they read frames and look at one number. */
const CONNECTING_AT_ONCE = 100;
const say = (message: FromClients): void => void process.send?.(message);
const delays: number[] = [];
let received = 0;
let expected = Infinity;
const counts: Partial<Record<Way, number>> = {};

process.on('message', (request: ToClients) => {
  if (request.do === 'expect') {
    received = 0;
    delays.length = 0;
    expected = request.messages * (counts[request.way] ?? 0);
    say({});
    return;
  }
  void connectAll(request);
});

async function connectAll({ way, port, path, count }: Extract<ToClients, { do: 'connect' }>): Promise<void> {
  for (let done = 0; done < count; done += CONNECTING_AT_ONCE) {
    const some = Array.from({ length: Math.min(CONNECTING_AT_ONCE, count - done) });
    await Promise.all(some.map(() => (way === 'deflate' ? openWebSocket(port) : openRaw(port, path))));
  }
  counts[way] = count;
  say({ connected: count });
}

function take(text: string): void {
  const sentAt = Number(/"mediatime":([\d.]+)/.exec(text)?.[1]);
  const now = monotonicS();
  delays.push((now - sentAt) * 1000);
  received += 1;
  if (received !== expected) return;
  say({ lastAt: now, delayMs: { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) } });
}

function openWebSocket(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: true });
  socket.on('message', (data: Buffer) => take(data.toString('latin1')));
  return new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
}

function openRaw(port: number, path: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (head: Buffer) => {
      if (!head.toString('latin1').startsWith('HTTP/1.1 101')) reject(new Error(head.toString('latin1')));
      else resolve();
      readFrames(socket);
    });
  });
}

/** Frames of a server: no mask, here never above 64 KiB. */
function readFrames(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (bytes.length >= 4) {
      const short = (bytes[1] ?? 0) & 0x7f;
      const header = short === 126 ? 4 : 2;
      const end = header + (short === 126 ? bytes.readUInt16BE(2) : short);
      if (bytes.length < end) break;
      if (bytes[0] === 0x81) take(bytes.toString('latin1', header, end));
      bytes = bytes.subarray(end);
    }
    rest = bytes;
  });
}
