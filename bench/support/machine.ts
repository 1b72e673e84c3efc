import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Ticks per second in /proc; fixed at 100 on Linux for programs. */
const TICKS_PER_S = 100;
/** More cores than this in use by other programs make the figures those of a shared machine. */
const SHARED_CORES = 0.1;

/** What ran on the machine while something was measured, beside the measurement itself. */
export class MachineWatch {
  readonly #startMs = performance.now();
  readonly #load = os.loadavg()[0] ?? NaN;
  readonly #busyS = busySeconds();
  readonly #ownS = ownSeconds();

  /** One line: processor, cores, load and what others used. Children must have ended, or count as others. */
  describe(): string {
    const cpus = os.cpus();
    const loads = `load average ${this.#load.toFixed(2)} before, ${(os.loadavg()[0] ?? NaN).toFixed(2)} after`;
    return `${cpus[0]?.model.trim() ?? 'unknown CPU'}, ${cpus.length} cores, Node ${process.versions.node}; ${loads}${this.#others()}`;
  }

  #others(): string {
    const ownS = ownSeconds();
    if (ownS === undefined || this.#ownS === undefined) return '';
    const othersS = busySeconds() - this.#busyS - (ownS - this.#ownS);
    const cores = Math.max(0, othersS / ((performance.now() - this.#startMs) / 1000));
    const shared = cores > SHARED_CORES ? ': **the machine was shared**' : '';
    return `; other programs used ${cores.toFixed(2)} cores meanwhile${shared}`;
  }
}

/** The commit that is checked out, and whether files differ from it. */
export function describeCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/RESULTS.md');
    return `commit ${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ' with changes'}`;
  } catch {
    return 'no commit';
  }
}

/** Seconds that all cores together have been busy. */
function busySeconds(): number {
  return (
    os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000
  );
}

/** Processor seconds of this process and of its children that have ended; undefined where /proc is missing. */
function ownSeconds(): number | undefined {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_S;
  } catch {
    return undefined;
  }
}
