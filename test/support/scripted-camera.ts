import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ScriptedServer {
  readonly port: number;
  /** Requests so far. */
  requests(): number;
}

async function listening(server: Server, requests: () => number): Promise<ScriptedServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, requests };
}

/**
 * An HTTP camera that answers as the test says; ends when the running test has finished.
 * @param answer gets the number of the request, from 1
 */
export async function httpCamera(
  answer: (response: ServerResponse, request: number) => void,
): Promise<ScriptedServer> {
  let requests = 0;
  const server = createHttpServer((_request, response) => answer(response, (requests += 1)));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return listening(server, () => requests);
}

/** An RTSP server that has no media yet: each DESCRIBE gets a session description without a media section. */
export async function rtspWithoutMedia(): Promise<ScriptedServer> {
  let described = 0;
  const sdp = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=starting\r\nt=0 0\r\n';
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // the client has gone
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const sequence = /CSeq: *(\d+)/i.exec(text)?.[1] ?? '0';
      const head = `RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n`;
      if (!text.startsWith('DESCRIBE')) {
        socket.write(`${head}Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n\r\n`);
        return;
      }
      described += 1;
      socket.write(`${head}Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`);
    });
  });
  onTestFinished(() => void server.close());
  return listening(server, () => described);
}
