import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const BOUNDARY = 'frontier';

export interface VideoServerOptions {
  /** Folder whose files are served with byte ranges. */
  readonly folder: string;
  /** JPEG pictures shown in a circle at `/mjpeg`. */
  readonly jpegs?: readonly Buffer[];
  /** ms between two of them; default 20. */
  readonly intervalMs?: number;
  /** Ends `/mjpeg` after this many pictures. */
  readonly endAfter?: number;
  /** Sends nothing more on `/mjpeg` after this many pictures, the connection staying open. */
  readonly hangAfter?: number;
  /** `user:password` that every request must have. */
  readonly login?: string;
  /** Status of every answer, such as 404. */
  readonly status?: number;
  readonly port?: number;
}

export interface VideoServer {
  readonly port: number;
  readonly url: string;
  /** Requests so far. */
  requests(): number;
  close(): Promise<void>;
}

/** Serves videos over HTTP on a free port, until closed or the running test has finished. */
export async function serveVideos(options: VideoServerOptions): Promise<VideoServer> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const expected = options.login && `Basic ${Buffer.from(options.login).toString('base64')}`;
    if (options.status !== undefined) response.writeHead(options.status).end();
    else if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="camera"' }).end();
    } else if (request.url?.split('?')[0] === '/mjpeg') serveJpegs(response, options);
    else serveFile(request, response, options.folder);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(close);
  return { port, url: `http://127.0.0.1:${port}`, requests: () => requests, close };
}

function serveFile(request: IncomingMessage, response: ServerResponse, folder: string): void {
  const path = join(folder, decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname));
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    response.writeHead(404).end();
    return;
  }
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Number(range[2]) : size - 1;
  response.writeHead(range ? 206 : 200, {
    'Accept-Ranges': 'bytes',
    'Content-Length': end - start + 1,
    ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
  });
  createReadStream(path, { start, end }).pipe(response);
}

function serveJpegs(
  response: ServerResponse,
  { jpegs = [], intervalMs = 20, endAfter = Infinity, hangAfter = Infinity }: VideoServerOptions,
): void {
  response.writeHead(200, { 'Content-Type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` });
  let shown = 0;
  const timer = setInterval(() => {
    const jpeg = jpegs[shown % jpegs.length];
    if (!jpeg || shown >= endAfter) {
      response.end();
      return;
    }
    if (shown >= hangAfter) return;
    shown += 1;
    response.write(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
    response.write(jpeg);
    response.write('\r\n');
  }, intervalMs);
  response.once('close', () => clearInterval(timer));
}
