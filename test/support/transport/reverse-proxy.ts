import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReverseProxyOptions {
  /** Port of the service on this machine. */
  readonly target: number;
  /** Path below which the service is offered; everything else is answered with 404. */
  readonly prefix: string;
  /** Whether the service gets paths without the prefix. */
  readonly strips: boolean;
  /** Added to each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReverseProxy {
  readonly origin: string;
  /** Requests for paths outside of the prefix. */
  readonly strayed: readonly string[];
}

/** A small reverse proxy for HTTP and WebSockets; ended with the test. */
export async function startReverseProxy(options: ReverseProxyOptions): Promise<ReverseProxy> {
  const { target, prefix, strips, headers = {} } = options;
  const strayed: string[] = [];
  const pathOf = ({ url = '/' }: IncomingMessage): string | undefined => {
    if (url !== prefix && !url.startsWith(`${prefix}/`) && !url.startsWith(`${prefix}?`)) {
      strayed.push(url);
      return undefined;
    }
    return strips ? url.slice(prefix.length) || '/' : url;
  };
  const headersOf = (request: IncomingMessage): OutgoingHttpHeaders => ({ ...request.headers, ...headers });
  const server = createServer((request, response) => {
    const path = pathOf(request);
    if (path === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { method } = request;
    const upstream = send({ host: '127.0.0.1', port: target, path, method, headers: headersOf(request) });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  server.on('upgrade', (request, socket, head) => {
    const path = pathOf(request);
    if (path === undefined) {
      socket.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1', () => {
      const lines = Object.entries(headersOf(request)).map(([name, value]) => `${name}: ${String(value)}`);
      upstream.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, strayed };
}
