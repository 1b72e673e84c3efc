import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const GGUF = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const RUNNER = 'runner-3.22.1';

export interface LocalModel {
  readonly gguf: string;
  readonly runner: string;
}

/** The model that `test/support/language/setup-llm.sh` puts into the cache folder; undefined when it is not there. */
export function localModel(): LocalModel | undefined {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const cache = process.env['PRESAGE_LLM_CACHE'] ?? join(base, 'presage-llm');
  const [gguf, runner] = [join(cache, GGUF), join(cache, RUNNER)];
  return existsSync(gguf) && existsSync(join(runner, 'node_modules/@node-llama-cpp'))
    ? { gguf, runner }
    : undefined;
}

export interface TestServer extends AsyncDisposable {
  /** With `/v1`. */
  readonly baseUrl: string;
}

/** Starts llm-server.mjs in a process of its own and waits until the model is loaded. */
export async function startModelServer({ gguf, runner }: LocalModel): Promise<TestServer> {
  const script = fileURLToPath(new URL('./llm-server.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, gguf, runner], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the model server ended with ${String(code)}`)));
  });
  const listening = (async (): Promise<number> => {
    for await (const line of createInterface(child.stdout)) {
      const port = /^listening (\d+)$/.exec(line)?.[1];
      if (port !== undefined) return Number(port);
    }
    return ended;
  })();
  const port = await Promise.race([listening, ended]);
  const gone = ended.catch(() => undefined);
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await gone;
    },
  };
}

export interface ReceivedRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export interface FakeServer extends TestServer {
  readonly requests: readonly ReceivedRequest[];
}

/** A server on a real socket that answers each request as `answer` does; it may also destroy the socket or stay silent. */
export async function startFakeServer(
  answer: (request: ReceivedRequest, response: ServerResponse, attempt: number) => void,
): Promise<FakeServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const received = { headers: request.headers, body: JSON.parse(text) as Record<string, unknown> };
      requests.push(received);
      answer(received, response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers as a chat completion with this content. */
export function sayContent(response: ServerResponse, content: string): void {
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }));
}
