import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the running processes whose parent is `parent` (zombies are not running). Linux only. */
export function childProcesses(parent: number = process.pid, name = 'ffmpeg'): number[] {
  return processes()
    .filter((entry) => entry.parent === parent && entry.name === name)
    .map(({ id }) => id);
}

export function isRunning(id: number): boolean {
  return processes().some((entry) => entry.id === id);
}

/** Ids of the running processes that were started with this entry (`NAME=value`) in their environment, or inherited it. */
export function markedProcesses(entry: string): number[] {
  return processes()
    .filter(({ id }) => read(id, 'environ').split('\0').includes(entry))
    .map(({ id }) => id);
}

function processes(): { id: number; parent: number; name: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const [, name = '', state, parent] = /\((.*)\) (\S) (\d+)/.exec(read(entry, 'stat')) ?? [];
      return state === undefined || state === 'Z'
        ? []
        : [{ id: Number(entry), parent: Number(parent), name }];
    });
}

function read(id: string | number, file: 'stat' | 'environ'): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
