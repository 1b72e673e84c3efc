import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { decode } from 'cbor-x';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import type { Message } from '../../../src/core/messages.js';

/** A real WebSocket client that keeps what it receives and lets a test wait for it. Ended with the test. */
export class WsClient {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;
  #wake: (() => void)[] = [];

  constructor(url: string, options: ClientOptions = {}, protocols: string[] = []) {
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on('message', (data: Buffer, binary) => {
      this.messages.push((binary ? decode(data) : JSON.parse(data.toString('utf8'))) as Message);
      this.#notify();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#notify();
    });
    this.socket.on('error', () => undefined);
    onTestFinished(() => this.socket.terminate());
  }

  async opened(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  /** Resolves when the condition holds; it is looked at after each message and at the end. */
  async until(condition: (client: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed.code} ${this.closed.reason}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  sequences(): number[] {
    return this.messages.flatMap(({ sequence }) => (sequence === undefined ? [] : Number(sequence)));
  }

  /** The newest sequence received, 0 before any. */
  last(): number {
    return Number(this.messages.findLast(({ sequence }) => sequence !== undefined)?.sequence ?? 0);
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** The HTTP answer to an upgrade that is refused. */
export async function refusedUpgrade(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number | undefined; body: string }> {
  const socket = new WebSocket(url, options);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}
