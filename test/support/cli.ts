import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import { markedProcesses } from './child-processes.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Longer than any command here takes on a busy machine; a run that hangs is killed, ms. */
const RUN_LIMIT_MS = 90_000;
const WAIT_LIMIT_MS = 45_000;

/** Variables of the person who runs the tests that would change what the program does or prints. */
const OF_THE_TESTER = /^(PRESAGE_|LC_|(LANG|FORCE_COLOR|NO_COLOR)$)/;
/** The locale of the program, whatever the machine's is. */
const UTF8 = { LC_ALL: 'C.UTF-8' };

export interface CliOptions {
  /** Working folder; it must not be one with a presage.yaml by chance. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** File or device that its standard output goes to, instead of to the test. */
  readonly stdoutTo?: string;
}

export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line as a child process, with what it has said so far. */
export class Cli {
  readonly ended: Promise<CliEnd>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #mark = `PRESAGE_E2E_MARK=${randomUUID()}`;
  #end: CliEnd | undefined;
  #wake: (() => void)[] = [];

  constructor(args: readonly string[], { cwd, env = {}, stdoutTo }: CliOptions) {
    const [name = '', value] = this.#mark.split('=');
    const inherited = Object.entries(process.env).filter(([key]) => !OF_THE_TESTER.test(key));
    const output = stdoutTo === undefined ? 'pipe' : openSync(stdoutTo, 'w');
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { ...Object.fromEntries(inherited), ...UTF8, ...env, [name]: value },
      stdio: ['ignore', output, 'pipe'],
      timeout: RUN_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    if (typeof output === 'number') closeSync(output);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear('stdout', text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear('stderr', text));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#end = { code, signal, stdout: this.stdout, stderr: this.stderr };
        resolve(this.#end);
        this.#notify();
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As when `| head` has read enough. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** The first match of what it says on standard output, now or later. Rejects when it ends without. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found) return found;
      if (this.#end) throw new Error(`ended without ${String(pattern)}: ${JSON.stringify(this.#end)}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Ids of its ffmpeg children and their like, orphans too. */
  helpers(): number[] {
    return markedProcesses(this.#mark).filter((id) => id !== this.#child.pid);
  }

  /** Fails unless every process that it started has gone, at once or very soon. */
  async leavesNothing(): Promise<void> {
    await vi.waitFor(() => expect(this.helpers()).toEqual([]), { timeout: 10_000, interval: 50 });
  }

  /** Resolves when that many helpers run. */
  async hasHelpers(count: number): Promise<number[]> {
    await vi.waitFor(() => expect(this.helpers()).toHaveLength(count), {
      timeout: WAIT_LIMIT_MS,
      interval: 50,
    });
    return this.helpers();
  }

  #hear(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Starts the command line; killed when the running test has finished. */
export function startCli(args: readonly string[], options: CliOptions): Cli {
  const cli = new Cli(args, options);
  onTestFinished(() => cli.kill('SIGKILL'));
  return cli;
}

/** Runs the command line to its end, which leaves no process behind. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliEnd> {
  const cli = new Cli(args, options);
  const end = await cli.ended;
  await cli.leavesNothing();
  return end;
}

/** One error that a user can read: the exit code, one message that matches, no stack trace. */
export function expectFailure(end: CliEnd, code: number, message: RegExp): void {
  expect(end).toMatchObject({ code, signal: null });
  expect(end.stderr).toMatch(message);
  expect(end.stderr.match(/^presage: /gm)).toHaveLength(1);
  expect(end.stderr).not.toMatch(/^\s+at |Error:|node:internal/m);
}
