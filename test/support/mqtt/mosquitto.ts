import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { onTestFinished, vi } from 'vitest';

const PROGRAM = '/usr/sbin/mosquitto';
const LOGIN = { user: 'presage', password: 'a password of the broker' } as const;

/** Why there is no broker to test with; undefined when there is. With PRESAGE_REQUIRE_ALL=1 there must be. */
export const noMosquitto: string | undefined = existsSync(PROGRAM) ? undefined : `there is no ${PROGRAM}`;
if (noMosquitto !== undefined && process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(noMosquitto);

/** Debian's broker, which lets in only who knows the password; killed with the test. */
export class Mosquitto {
  readonly port: number;
  readonly login = LOGIN;
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, config: string) {
    this.port = port;
    this.#config = config;
  }

  static async start(folder: string): Promise<Mosquitto> {
    const port = await freePort();
    const passwords = join(folder, 'passwords');
    const made = spawnSync('mosquitto_passwd', ['-b', '-c', passwords, LOGIN.user, LOGIN.password]);
    if (made.status !== 0) throw new Error(`mosquitto_passwd: ${String(made.stderr)}`);
    const config = join(folder, 'mosquitto.conf');
    const user = process.getuid?.() === 0 ? 'user root\n' : '';
    writeFileSync(
      config,
      `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${passwords}\n${user}`,
    );
    const broker = new Mosquitto(port, config);
    onTestFinished(() => broker.kill());
    await broker.run();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    this.#child = spawn(PROGRAM, ['-c', this.#config], { stdio: 'ignore' });
    await vi.waitFor(() => this.listen().then(({ end }) => end()), { timeout: 10_000, interval: 50 });
  }

  /** As when its machine loses its power: what was retained is lost as well. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Another client, with what it hears: the newest payload of each topic, and all in order. */
  async listen(): Promise<{
    topics: Map<string, string>;
    heard: [string, string][];
    end: () => Promise<void>;
  }> {
    const { user: username, password } = LOGIN;
    const client = await connectAsync(this.url, { username, password, reconnectPeriod: 0 });
    const topics = new Map<string, string>();
    const heard: [string, string][] = [];
    client.on('message', (topic, payload) => {
      heard.push([topic, payload.toString()]);
      if (payload.length === 0) topics.delete(topic);
      else topics.set(topic, payload.toString());
    });
    client.on('error', () => undefined);
    onTestFinished(() => client.endAsync(true));
    await client.subscribeAsync('#', { qos: 1 });
    return { topics, heard, end: () => client.endAsync(true) };
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
