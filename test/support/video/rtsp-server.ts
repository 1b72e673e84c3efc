import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** Debian's own Python: only it sees `python3-gi`. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('./rtsp-server.py', import.meta.url));
const PACKAGES = 'python3-gi gir1.2-gst-rtsp-server-1.0';

/** Why RTSP can't be tested here; undefined when it can. With PRESAGE_REQUIRE_ALL=1 it must. */
export function rtspUnavailable(): string | undefined {
  const load =
    'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer';
  if (spawnSync(PYTHON, ['-c', load]).status === 0) return undefined;
  const reason = `no RTSP server to test against: sudo apt-get install ${PACKAGES}`;
  if (process.env['PRESAGE_REQUIRE_ALL'] === '1') throw new Error(reason);
  return reason;
}

export interface RtspOptions {
  /** 0 for a free one. */
  readonly port?: number;
  readonly width?: number;
  readonly height?: number;
  readonly login?: readonly [user: string, password: string];
}

/** A camera of one solid colour at 20 frames per second; stopped when the running test has finished. */
export class RtspServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start({ port = 0, width = 320, height = 240, login }: RtspOptions = {}): Promise<RtspServer> {
    const args = [SCRIPT, String(port), String(width), String(height), ...(login ?? [])];
    const child = spawn(PYTHON, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(() => Promise.reject(new Error('the RTSP server did not start'))),
    ])) as [string];
    const server = new RtspServer(child, Number(line.split(' ')[1]));
    onTestFinished(() => server.kill());
    return server;
  }

  url(login = ''): string {
    return `rtsp://${login === '' ? '' : `${login}@`}127.0.0.1:${this.port}/camera`;
  }

  /** As when a camera loses its power. Idempotent. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** As when a camera hangs: connections stay open and nothing comes. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }
}
