import type { PresageError } from '../core/errors.js';
import { Archive } from '../transport/archive/archive.js';
import { ClipStore } from '../transport/archive/clip-store.js';
import { EvidenceStore } from '../transport/archive/evidence-store.js';
import { DurableLog } from '../transport/log/durable-log.js';

/** Limits of the data folder. */
export interface RetentionOptions {
  /** Messages, archive and pictures older than this are deleted, days. Default 7. */
  readonly days?: number | undefined;
  /** Limit of the messages of one stream, MB; the oldest are deleted. Default 2048. */
  readonly mb?: number | undefined;
  /** Limit of the pictures of events, MB for all streams; 0 stores none. Default 1024. */
  readonly evidenceMb?: number | undefined;
  /** Limit of the clips of events, MB for all streams; 0 stores none. Default 4096. */
  readonly clipsMb?: number | undefined;
}

const RETENTION_DEFAULTS = { days: 7, mb: 2048, evidenceMb: 1024, clipsMb: 4096 } as const;

const MB = 1e6;
const DAY_MS = 86_400_000;

export interface StorageOptions {
  /** The data folder; created if it does not exist. */
  readonly folder: string;
  readonly keep?: RetentionOptions | undefined;
  readonly onError: (error: PresageError) => void;
}

/** The data folder of a service: message log, archive, pictures and clips of events. */
export class Storage implements AsyncDisposable {
  readonly folder: string;
  readonly log: DurableLog;
  readonly archive: Archive;
  /** Undefined where no pictures are stored. */
  readonly evidence: EvidenceStore | undefined;
  /** Undefined where no clips are stored. */
  readonly clips: ClipStore | undefined;

  private constructor(folder: string, log: DurableLog, archive: Archive, files: Files) {
    this.folder = folder;
    this.log = log;
    this.archive = archive;
    this.evidence = files.evidence;
    this.clips = files.clips;
  }

  /** Opens the folder and removes files left by a crash. @throws PresageError `storage_failed` */
  static async open({ folder, keep = {}, onError }: StorageOptions): Promise<Storage> {
    const { days, mb, evidenceMb, clipsMb } = { ...RETENTION_DEFAULTS, ...withoutUndefined(keep) };
    const maxAgeMs = days * DAY_MS;
    const log = await DurableLog.open({ folder, retention: { maxAgeMs, maxBytes: mb * MB }, onError });
    try {
      const limits = { folder, maxAgeMs, onError };
      const evidence =
        evidenceMb === 0 ? undefined : new EvidenceStore(log, { ...limits, maxBytes: evidenceMb * MB });
      const clips = clipsMb === 0 ? undefined : new ClipStore(log, { ...limits, maxBytes: clipsMb * MB });
      await evidence?.tidy();
      await clips?.tidy();
      return new Storage(folder, log, new Archive(log, maxAgeMs), { evidence, clips });
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Files {
  readonly evidence: EvidenceStore | undefined;
  readonly clips: ClipStore | undefined;
}

function withoutUndefined(keep: RetentionOptions): Partial<Record<keyof RetentionOptions, number>> {
  return Object.fromEntries(Object.entries(keep).filter(([, value]) => value !== undefined));
}
