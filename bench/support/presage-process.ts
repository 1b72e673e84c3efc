import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The built command line: what a user runs. */
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface AnalyzeRun {
  readonly frames: number;
  /** From the opening of the recording to the last file written; the loading of the model is not in it. */
  readonly seconds: number;
}

/** `presage analyze` as a process of its own. Throws what it says when it fails. */
export async function runAnalyze(video: string, args: readonly string[] = []): Promise<AnalyzeRun> {
  const { stderr } = await runProgram(process.execPath, [MAIN, 'analyze', video, ...args]);
  const told = /(\d+) frames in ([\d.]+) s/.exec(stderr);
  if (!told) throw new Error(`analyze did not tell its time: ${stderr}`);
  return { frames: Number(told[1]), seconds: Number(told[2]) };
}

/** Whether a command of presage has an option. */
export async function hasOption(command: string, flag: string): Promise<boolean> {
  const { stdout } = await runProgram(process.execPath, [MAIN, command, '--help']);
  return stdout.includes(`--${flag} `);
}

export async function runProgram(
  file: string,
  args: readonly string[],
  cwd?: string,
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(file, args, { cwd, maxBuffer: MAX_OUTPUT_BYTES });
}

/** How each command that serves says where it does. */
const ANNOUNCEMENTS = {
  watch: /page\s+(http:\S+?)\/?\s/,
  serve: /presage serves .* at (http:\S+?)\/?\s/,
} as const;

/** `presage watch` or `presage serve` as a process of its own, until it is disposed. */
export class ServingProcess implements AsyncDisposable {
  /** Address of its server. */
  readonly url: string;
  readonly #child: ChildProcessWithoutNullStreams;

  private constructor(child: ChildProcessWithoutNullStreams, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when it serves. */
  static async start(command: keyof typeof ANNOUNCEMENTS, args: readonly string[]): Promise<ServingProcess> {
    const child = spawn(process.execPath, [MAIN, command, ...args, '--port', '0']);
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-4000)));
    const url = await new Promise<string>((resolve, reject) => {
      let head = '';
      child.stdout.on('data', (chunk: Buffer) => {
        if (head.length < 4000) head += chunk.toString();
        const found = ANNOUNCEMENTS[command].exec(head);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
      child.once('exit', () => reject(new Error(`${command} ended: ${errors}`)));
    });
    return new ServingProcess(child, url);
  }

  /** False after it has ended by itself. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What `/metrics` says now: values by name, those of one name with several labels added up. */
  async metrics(): Promise<Map<string, number>> {
    const values = new Map<string, number>();
    for (const line of (await (await fetch(`${this.url}/metrics`)).text()).split('\n')) {
      const found = /^(\w+)(?:\{.*\})? (\S+)/.exec(line);
      if (found?.[1] !== undefined) values.set(found[1], (values.get(found[1]) ?? 0) + Number(found[2]));
    }
    return values;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGINT');
    await once(this.#child, 'exit');
  }
}
