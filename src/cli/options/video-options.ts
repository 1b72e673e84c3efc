import { number, option, STREAMING } from './option-spec.js';
import { VIDEO_DEFAULTS } from '../../service/recent-video/recent-video.js';

const MB = 1e6;

/** Options of the recent video that is stored for inspections. */
export const VIDEO_OPTIONS = {
  videoSeconds: option({
    flag: 'video-seconds',
    value: 'S',
    env: 'PRESAGE_VIDEO_SECONDS',
    yaml: 'video.seconds',
    schema: number(0, 86_400),
    expected: 'seconds from 0 (no inspections) to 86400',
    fallback: VIDEO_DEFAULTS.seconds,
    description: 'length of the recent video of a stream in memory, for inspections',
    commands: STREAMING,
  }),
  videoFps: option({
    flag: 'video-fps',
    value: 'N',
    env: 'PRESAGE_VIDEO_FPS',
    yaml: 'video.fps',
    schema: number(0.1, 30),
    expected: 'pictures a second from 0.1 to 30',
    fallback: VIDEO_DEFAULTS.fps,
    description: 'pictures of this video stored per second',
    commands: STREAMING,
  }),
  videoMb: option({
    flag: 'video-mb',
    value: 'N',
    env: 'PRESAGE_VIDEO_MB',
    yaml: 'video.mb',
    schema: number(1, 65_536),
    expected: 'megabytes from 1 to 65536',
    fallback: VIDEO_DEFAULTS.maxBytes / MB,
    description: 'memory limit of this video per stream, in megabytes; the oldest pictures are discarded',
    commands: STREAMING,
  }),
};
