const DAY_MS = 86_400_000;

export interface Retention {
  /** Messages kept per stream. Default 1,000,000. */
  readonly maxMessages: number;
  /** Age by wall time, ms. Default 7 days. */
  readonly maxAgeMs: number;
  /** UTF-16 units of JSON kept per stream. Default 2^31. */
  readonly maxBytes: number;
}

export const DEFAULT_RETENTION: Retention = {
  maxMessages: 1_000_000,
  maxAgeMs: 7 * DAY_MS,
  maxBytes: 2 ** 31,
};

export interface OldRow {
  readonly sequence: number;
  /** Wall time, ms since 1970. */
  readonly at: number;
  readonly bytes: number;
}

export interface Extent {
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/**
 * What a stream keeps when its oldest messages, in order, are held against the retention: its first sequence and its
 * bytes afterwards. Only a prefix ever goes, so what is kept has no gaps.
 */
export function keepFrom(
  oldest: readonly OldRow[],
  extent: Extent,
  retention: Retention,
  nowMs: number,
): { first: number; bytes: number } {
  let { first, bytes } = extent;
  for (const row of oldest) {
    const tooMany = extent.last - row.sequence + 1 > retention.maxMessages;
    const tooOld = row.at < nowMs - retention.maxAgeMs;
    if (!tooMany && !tooOld && bytes <= retention.maxBytes) break;
    first = row.sequence + 1;
    bytes -= row.bytes;
  }
  return { first, bytes };
}
