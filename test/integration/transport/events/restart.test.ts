import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decode, encode } from 'cbor-x';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Message } from '../../../../src/core/messages.js';
import { tempFolder } from '../../../support/transport/temp-folder.js';

const SERVER = fileURLToPath(new URL('../../../support/transport/events-server.mjs', import.meta.url));
const PER_SECOND = 400;
const KILLS = 3;

async function startServer(folder: string, port: string): Promise<{ child: ChildProcess; port: string }> {
  const child = spawn(process.execPath, [SERVER, folder, port, String(PER_SECOND)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, port: new URL(line).port };
}

/** Listens to both streams and, whenever it is cut off, goes on after the last message of each. */
class ResumingClient {
  readonly received: Record<string, number[]> = { cam1: [], cam2: [] };
  readonly #url: string;
  readonly #protocol: string;
  #socket: WebSocket | undefined;
  #done = false;

  constructor(port: string, protocol: string) {
    this.#url = `ws://127.0.0.1:${port}/v1/events`;
    this.#protocol = protocol;
    this.#connect();
    onTestFinished(() => this.close());
  }

  get last(): number {
    return Math.min(...Object.values(this.received).map((sequences) => sequences.at(-1) ?? 0));
  }

  close(): void {
    this.#done = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, [this.#protocol]);
    this.#socket = socket;
    const binary = this.#protocol.endsWith('cbor');
    socket.on('open', () => {
      const next = Object.entries(this.received).map(([id, sequences]) => [id, (sequences.at(-1) ?? 0) + 1]);
      const request = {
        op: 'subscribe',
        id: 'a',
        types: ['event.observed'],
        from: Object.fromEntries(next) as object,
      };
      socket.send(binary ? encode(request) : JSON.stringify(request));
    });
    socket.on('message', (data: Buffer) => {
      const message = (binary ? decode(data) : JSON.parse(data.toString())) as Message;
      const stream = (message.id as string | undefined)?.split(':')[0];
      if (message.sequence !== undefined) this.received[stream ?? '']?.push(Number(message.sequence));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#done) setTimeout(() => this.#connect(), 20);
    });
  }
}

describe('a server that is killed', () => {
  it.each(['presage.v1+json', 'presage.v1+cbor'])(
    'loses and doubles nothing for clients of %s that come back, while it publishes',
    async (protocol) => {
      const folder = tempFolder();
      let server = await startServer(folder, '0');
      const client = new ResumingClient(server.port, protocol);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const target = client.last + 250;
        await expect.poll(() => client.last, { timeout: 10_000, interval: 5 }).toBeGreaterThan(target);
        server.child.kill('SIGKILL');
        await once(server.child, 'exit');
        server = await startServer(folder, server.port);
      }
      const before = client.last;
      await expect.poll(() => client.last, { timeout: 10_000 }).toBeGreaterThan(before + 100);
      client.close();
      for (const sequences of Object.values(client.received)) {
        expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, index) => index + 1));
      }
    },
  );
});
