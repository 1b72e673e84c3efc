import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A port that nobody listens on now; a service that is started again comes back to it. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

export interface ServiceRequest {
  readonly args: readonly string[];
  readonly port: number;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The built `presage watch` as a process, which can be ended and started again. */
export class RunningService implements AsyncDisposable {
  readonly url: string;
  readonly #wish: ServiceRequest;
  #child: ChildProcess | undefined;

  private constructor(wish: ServiceRequest) {
    this.#wish = wish;
    this.url = `http://127.0.0.1:${wish.port}`;
  }

  /** Resolves when it serves. */
  static async start(wish: ServiceRequest): Promise<RunningService> {
    const service = new RunningService(wish);
    await service.start();
    return service;
  }

  async start(): Promise<void> {
    const { args, port, cwd, env = {} } = this.#wish;
    const inherited = Object.entries(process.env).filter(([key]) => !/^(PRESAGE_|FFMPEG_PATH$)/.test(key));
    const child = spawn(process.execPath, [MAIN, 'watch', ...args, '--port', String(port)], {
      cwd,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => /page +http/.test(text) && resolve());
      child.once('exit', () => reject(new Error(`watch ended: ${said}`)));
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'exit');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
