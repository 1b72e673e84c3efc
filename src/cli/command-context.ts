import type { LoadedSettings } from './options/settings.js';

/** What a command gets: its validated settings and a signal that ends it. */
export interface CommandContext extends LoadedSettings {
  readonly signal: AbortSignal;
}
