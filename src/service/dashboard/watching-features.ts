import type { Registry } from 'prom-client';
import type { Ffmpeg } from '../../ingest/ffmpeg-binary.js';
import type { ServerFeature } from '../../transport/http/feature.js';
import { DashboardFeature } from '../../transport/view/dashboard-feature.js';
import { ViewFeature } from '../../transport/view/view-feature.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { dashboardFolder } from '../version.js';
import { openMp4Encoder } from './mp4-encoder.js';

/** What people watch: the dashboard, and pictures and video of the streams. */
export function watchingFeatures(
  streams: Pick<StreamRegistry, 'find'>,
  ffmpeg: Ffmpeg,
  registry: Registry,
): ServerFeature[] {
  const view = new ViewFeature({
    find: (id) => streams.find(id)?.pictures,
    openEncoder: (fps, sink) => openMp4Encoder(ffmpeg.path, fps, sink),
    registry,
  });
  return [new DashboardFeature(dashboardFolder), view];
}
