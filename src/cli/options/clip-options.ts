import { LIVE, number, option } from './option-spec.js';

/** Options of the original video that is kept for clips. */
export const CLIP_OPTIONS = {
  clipSeconds: option({
    flag: 'clip-seconds',
    value: 'S',
    env: 'PRESAGE_CLIP_SECONDS',
    yaml: 'clips.seconds',
    schema: number(0, 3600),
    expected: 'seconds from 0 (no clips) to 3600',
    fallback: 30,
    description: 'length of the original video of a stream in memory, for clips',
    commands: LIVE,
  }),
  clipMb: option({
    flag: 'clip-mb',
    value: 'N',
    env: 'PRESAGE_CLIP_MB',
    yaml: 'clips.mb',
    schema: number(1, 65_536),
    expected: 'megabytes from 1 to 65536',
    fallback: 32,
    description: 'memory limit of this video per stream, in megabytes; the oldest is discarded',
    commands: LIVE,
  }),
  clipsMb: option({
    flag: 'clips-mb',
    value: 'N',
    env: 'PRESAGE_CLIPS_MB',
    yaml: 'keep.clipsMb',
    schema: number(0, 10_000_000),
    expected: 'megabytes from 0 (none are stored) to 10000000',
    fallback: 4096,
    description:
      'limit of the clips of events in the data folder, in megabytes for all streams; the oldest are deleted',
    commands: LIVE,
  }),
};
