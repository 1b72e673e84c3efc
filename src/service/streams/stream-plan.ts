import type { Draft } from '../../core/messages.js';
import type { Places } from '../../core/memory.js';
import type { Settings } from '../../cli/options/option-table.js';

/** What one stream of a service needs beyond the settings. */
export interface StreamPlan {
  readonly id: string;
  readonly source: string;
  readonly places: Places;
  readonly rtspTransport?: Settings['rtspTransport'] | undefined;
  readonly loop?: boolean;
  /** Where it was made. A stream of the `command` must open, or the command fails; the others may fail alone. */
  readonly origin: 'config' | 'api' | 'command';
  /** Not read at present; memory and messages are kept. */
  readonly paused?: boolean;
  readonly onDraft?: (draft: Draft) => void;
}
