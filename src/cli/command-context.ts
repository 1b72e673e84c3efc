import type { LoadedSettings } from './options/settings.js';

/** Validated settings of a command and a signal that ends it. */
export interface CommandContext extends LoadedSettings {
  readonly signal: AbortSignal;
}
