import type { Registry } from 'prom-client';
import type { Ffmpeg } from '../../ingest/ffmpeg-binary.js';
import type { ServerFeature } from '../../transport/http/feature.js';
import { DashboardFeature } from '../../transport/view/dashboard-feature.js';
import type { StreamView } from '../../transport/view/stream-view.js';
import { ViewFeature } from '../../transport/view/view-feature.js';
import { dashboardFolder } from '../version.js';
import { openMp4Encoder } from './mp4-encoder.js';

/** Routes of the dashboard and of the pictures and video of the streams. */
export function watchingFeatures(
  findView: (streamId: string) => StreamView | undefined,
  ffmpeg: Ffmpeg,
  registry: Registry,
): ServerFeature[] {
  const view = new ViewFeature({
    find: findView,
    openEncoder: (fps, sink) => openMp4Encoder(ffmpeg.path, fps, sink),
    registry,
  });
  return [new DashboardFeature(dashboardFolder), view];
}
