import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { positive, type Bench } from '../support/bench.js';
import {
  monotonicS,
  type FromClients,
  type FromServer,
  type ToClients,
  type ToServer,
  type Way,
} from './wire.js';
import { table } from '../support/results.js';
import { median } from '../support/statistics.js';

const COMPARED = ['presage', 'ws'] as const;
/** Clients of the comparison with compression: each holds its own compressor. */
const DEFLATE_CLIENTS = 200;
const PATH = '/v1/streams/cam1/events?types=forecast.updated';

interface Round {
  /** Messages received a second, all clients together. */
  readonly perSecond: number;
  readonly cpuUsPerMessage: number;
  readonly delayMs: Readonly<Record<'p50' | 'p99', number>>;
}

/** Fan-out of the server beside a plain broadcast with `ws`: same bytes, same process, in turns. */
export const fanOut: Bench = {
  options: { clients: '1000,5000', rounds: '5', messages: '40', paced: '20' },
  async run(options) {
    const counts = (options['clients'] ?? '').split(',').map(Number);
    const parts: string[] = [];
    for (const count of counts) parts.push(await measure(count, options));
    parts.push(await measureDeflate(positive(options, 'messages')));
    return parts.join('\n\n');
  },
};

async function measure(count: number, options: Readonly<Record<string, string>>): Promise<string> {
  await using pair = await Pair.start();
  const memory = new Map<Way, number>();
  for (const way of COMPARED) memory.set(way, await pair.connect(way, count));
  const rounds = new Map<Way, Round[]>(COMPARED.map((way) => [way, []]));
  const paced = new Map<Way, Round[]>(COMPARED.map((way) => [way, []]));
  // The first round warms up both, and does not count.
  for (let n = 0; n <= positive(options, 'rounds'); n += 1) {
    const order = n % 2 === 0 ? COMPARED : COMPARED.toReversed();
    for (const way of order) {
      const burst = await pair.round(way, count, positive(options, 'messages'), 0);
      const slow = await pair.round(way, count, positive(options, 'paced'), 100);
      if (n === 0) continue;
      rounds.get(way)?.push(burst);
      paced.get(way)?.push(slow);
    }
  }
  const of = (all: Map<Way, Round[]>, way: Way, what: (round: Round) => number): number =>
    median((all.get(way) ?? []).map(what));
  const rows = COMPARED.map((way) => [
    way,
    Math.round(of(rounds, way, (one) => one.perSecond)).toLocaleString('en'),
    of(rounds, way, (one) => one.cpuUsPerMessage).toFixed(2),
    of(paced, way, (one) => one.delayMs.p50).toFixed(1),
    of(paced, way, (one) => one.delayMs.p99).toFixed(1),
    (((memory.get(way) ?? NaN) * 1000) / count).toFixed(1),
  ]);
  const ratios = (rounds.get('presage') ?? []).map(
    (one, n) => one.perSecond / (rounds.get('ws')?.[n]?.perSecond ?? NaN),
  );
  const head = [
    '',
    'messages/s received',
    'server CPU, µs/message',
    'p50 delay, ms',
    'p99 delay, ms',
    'kB RSS a client',
  ];
  return [
    `**${count} subscribers**, one process of clients, loopback; bursts of ${String(options['messages'])} for throughput, ${String(options['paced'])} messages 100 ms apart for`,
    `delay (from being sent to being received). Medians of ${String(options['rounds'])} rounds in turns; throughput presage / ws: **${median(ratios).toFixed(2)}** (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}).`,
    '',
    table(head, rows),
  ].join('\n');
}

async function measureDeflate(messages: number): Promise<string> {
  await using pair = await Pair.start();
  const rows: string[][] = [];
  for (const way of ['ws', 'deflate'] as const) {
    const rssMb = await pair.connect(way, DEFLATE_CLIENTS);
    const before = (await pair.usage()).bytes?.[way] ?? 0;
    const round = await pair.round(way, DEFLATE_CLIENTS, messages, 0);
    const { bytes, rssMb: after = 0 } = await pair.usage();
    const sent = (bytes?.[way] ?? 0) - before;
    const grown = after - pair.rssMb + rssMb;
    rows.push([
      way === 'ws' ? 'without' : 'with',
      Math.round(sent / messages / DEFLATE_CLIENTS).toString(),
      round.cpuUsPerMessage.toFixed(1),
      Math.round(round.perSecond).toLocaleString('en'),
      ((grown * 1000) / DEFLATE_CLIENTS).toFixed(0),
    ]);
  }
  return [
    `**permessage-deflate** of \`ws\` (every message, context kept), ${DEFLATE_CLIENTS} clients, the same messages:`,
    '',
    table(['', 'bytes a message', 'server CPU, µs/message', 'messages/s received', 'kB RSS a client'], rows),
  ].join('\n');
}

/** A process of servers and one of clients. */
class Pair implements AsyncDisposable {
  readonly #server = start('server.ts');
  readonly #clients = start('clients.ts');
  #ports: FromServer['ports'];
  /** Memory of the server when clients were last connected. */
  rssMb = 0;

  static async start(): Promise<Pair> {
    const pair = new Pair();
    const { ports } = await hear<FromServer>(pair.#server);
    pair.#ports = ports;
    return pair;
  }

  /** Connects clients. Returns the memory that they took in the server, MB. */
  async connect(way: Way, count: number): Promise<number> {
    const { rssMb: before = 0 } = await this.usage();
    const connected = hear<FromClients>(this.#clients);
    this.#tell({
      do: 'connect',
      way,
      port: this.#ports?.[way] ?? 0,
      path: way === 'presage' ? PATH : '/',
      count,
    });
    await connected;
    const { rssMb: after = 0 } = await this.usage();
    this.rssMb = after;
    return after - before;
  }

  async round(way: Way, count: number, messages: number, everyMs: number): Promise<Round> {
    const ready = hear<FromClients>(this.#clients);
    this.#tell({ do: 'expect', way, messages });
    await ready;
    const done = hear<FromClients>(this.#clients);
    const startedAt = monotonicS();
    this.#server.send({ do: 'round', way, messages, everyMs } satisfies ToServer);
    const { lastAt = NaN, delayMs = { p50: NaN, p99: NaN } } = await done;
    const { cpuUs = NaN } = await this.usage();
    const total = count * messages;
    return { perSecond: total / (lastAt - startedAt), cpuUsPerMessage: cpuUs / total, delayMs };
  }

  async usage(): Promise<FromServer> {
    const told = hear<FromServer>(this.#server);
    this.#server.send({ do: 'usage' } satisfies ToServer);
    return await told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#server, this.#clients]) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  }

  #tell(request: ToClients): void {
    this.#clients.send(request);
  }
}

function start(file: string): ChildProcess {
  const path = fileURLToPath(new URL(`./${file}`, import.meta.url));
  return fork(path, { execArgv: ['--import', 'tsx', '--expose-gc'] });
}

async function hear<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}
