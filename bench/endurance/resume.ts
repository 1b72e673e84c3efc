import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { positive, type Bench } from '../support/bench.js';
import { table } from '../support/results.js';
import { median, quantile } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

const SERVER = fileURLToPath(new URL('../../test/support/transport/events-server.mjs', import.meta.url));
/** Between a client's attempts to connect again. */
const RETRY_MS = 20;

/** A server of events that is killed (SIGKILL) while it publishes, and how long its clients take to be whole again. */
export const resume: Bench = {
  options: { rounds: '5', clients: '50', 'per-second': '200' },
  async run(options) {
    const perSecond = options['per-second'] ?? '200';
    await using folder = await TemporaryFolder.make();
    let server = await startServer(folder.path, '0', perSecond);
    const clients = Array.from({ length: positive(options, 'clients') }, () => new Client(server.port));
    const up: number[] = [];
    const whole: number[] = [];
    try {
      for (let round = 0; round < positive(options, 'rounds'); round += 1) {
        const goal = Math.max(...clients.map(({ sequences }) => sequences.length)) + Number(perSecond);
        await Promise.all(clients.map((client) => client.reaches(goal)));
        server.child.kill('SIGKILL');
        await once(server.child, 'exit');
        const killedMs = performance.now();
        server = await startServer(folder.path, server.port, perSecond);
        const servingMs = performance.now();
        up.push(servingMs - killedMs);
        const marks = clients.map((client) => client.next());
        await Promise.all(marks);
        whole.push(performance.now() - servingMs);
      }
    } finally {
      clients.forEach((client) => client.close());
      server.child.kill('SIGKILL');
    }
    const wrong = clients.filter(({ sequences }) =>
      sequences.some((sequence, index) => sequence !== index + 1),
    );
    const received = clients.reduce((sum, { sequences }) => sum + sequences.length, 0);
    return [
      `A server of events with ${clients.length} clients on \`/v1/events\` that resume by sequence, killed (SIGKILL) ${options['rounds'] ?? ''} times while it`,
      `published ${perSecond} durable messages a second on each of two streams. Clients try again every ${RETRY_MS} ms. Of ${received.toLocaleString('en')} messages of cam1 received,`,
      `clients with one lost, doubled or out of order: **${wrong.length}**.`,
      '',
      table(
        ['ms', 'median', 'most'],
        [
          ['from the kill until the server serves again', median(up).toFixed(0), quantile(up, 1).toFixed(0)],
          [
            'from then until every client has its next message',
            median(whole).toFixed(0),
            quantile(whole, 1).toFixed(0),
          ],
        ],
      ),
    ].join('\n');
  },
};

async function startServer(
  folder: string,
  port: string,
  perSecond: string,
): Promise<{ child: ChildProcess; port: string }> {
  const child = spawn(process.execPath, [SERVER, folder, port, perSecond], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, port: new URL(line).port };
}

class Client {
  readonly sequences: number[] = [];
  readonly #url: string;
  #socket: WebSocket | undefined;
  #waiting: { readonly goal: number; readonly done: () => void } | undefined;
  #closed = false;

  constructor(port: string) {
    this.#url = `ws://127.0.0.1:${port}/v1/events`;
    this.#connect();
  }

  /** Resolves when so many messages have come. */
  reaches(goal: number): Promise<void> {
    if (this.sequences.length >= goal) return Promise.resolve();
    return new Promise((done) => (this.#waiting = { goal, done }));
  }

  next(): Promise<void> {
    return this.reaches(this.sequences.length + 1);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.on('open', () => {
      const from = { cam1: this.sequences.length + 1 };
      socket.send(JSON.stringify({ op: 'subscribe', id: 'a', streams: ['cam1'], from }));
    });
    socket.on('message', (data: Buffer) => {
      const { sequence } = JSON.parse(data.toString()) as { sequence?: string };
      if (sequence === undefined) return;
      this.sequences.push(Number(sequence));
      if (this.#waiting && this.sequences.length >= this.#waiting.goal) this.#waiting.done();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#closed) setTimeout(() => this.#connect(), RETRY_MS);
    });
  }
}
