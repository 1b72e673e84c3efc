import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EvidenceStats } from './evidence/evidence-recorder.js';
import type { RecentVideoStats } from './recent-video/recent-video.js';
import type { ForecastCycleStats } from '../reasoner/predict/forecast-cycle.js';
import type { PipelineObserver } from '../pipeline/stream-pipeline.js';
import type { DraftSink } from './session/draft-sink.js';

const LATENCY_BUCKETS_S = [0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 5];

/** The Prometheus metrics of one process, event-loop lag and memory of the process included. */
export class Metrics {
  readonly registry = new Registry();
  readonly #frames = this.#counter(
    'presage_frames_processed_total',
    'Frames that went through the whole pipeline',
    ['stream'],
  );
  readonly #dropped = this.#counter('presage_frames_dropped_total', 'Frames dropped, by edge and reason', [
    'stream',
    'edge',
    'reason',
  ]);
  readonly #unsegmented = this.#counter(
    'presage_unsegmented_total',
    'Detections that got neither mask nor token because there were too many in their frame',
    ['stream'],
  );
  readonly #messages = this.#counter('presage_messages_total', 'Messages published, by kind', [
    'stream',
    'kind',
  ]);
  readonly #frameLatency = this.#histogram(
    'presage_frame_latency_seconds',
    'From the arrival of a frame to the end of its processing',
  );
  readonly #eventLatency = this.#histogram(
    'presage_event_latency_seconds',
    'From the arrival of the deciding frame to the publication of its event',
  );
  readonly #inference = this.#histogram(
    'presage_inference_seconds',
    'Time in the detector, preprocessing included',
  );
  readonly #effortChanges = this.#counter(
    'presage_effort_changes_total',
    'Times the load lowered or raised what is done for a frame',
    ['stream', 'direction', 'stage'],
  );
  readonly #effort = this.#gauge(
    'presage_effort_level',
    'Rungs below full effort: fewer detections first, then no masks, then no tokens',
  );
  readonly #up = this.#gauge('presage_stream_up', '1 while the stream is live');

  readonly #evidence = new Map<string, () => EvidenceStats>();
  readonly #video = new Map<string, () => RecentVideoStats>();
  readonly #forecasts = new Map<string, () => ForecastCycleStats | undefined>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#registerVideo();
    this.#registerForecasts();
    const evidence = this.#evidence;
    new Counter({
      name: 'presage_evidence_kept_total',
      help: 'Pictures of events kept',
      labelNames: ['stream'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [stream, read] of evidence) this.inc({ stream }, read().stored);
      },
    });
    new Counter({
      name: 'presage_evidence_dropped_total',
      help: 'Pictures of events that were not kept, by reason',
      labelNames: ['stream', 'reason'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [stream, read] of evidence) {
          for (const [reason, count] of Object.entries(read().dropped)) this.inc({ stream, reason }, count);
        }
      },
    });
  }

  /** Counters of the forecasts of a stream, read at each scrape. */
  watchForecasts(stream: string, read: () => ForecastCycleStats | undefined): void {
    this.#forecasts.set(stream, read);
  }

  #registerForecasts(): void {
    const watched = this.#forecasts;
    new Counter({
      name: 'presage_forecasts_total',
      help: 'Standard forecasts: issued, of these degraded (without the estimate of a model of the mode), dropped',
      labelNames: ['stream', 'outcome'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [stream, read] of watched) {
          const stats = read();
          if (stats === undefined) continue;
          const { forecasts, degraded, dropped } = stats;
          for (const [outcome, count] of Object.entries({ issued: forecasts, degraded, dropped }))
            this.inc({ stream, outcome }, count);
        }
      },
    });
    new Counter({
      name: 'presage_forecast_answers_total',
      help: 'Questions to the models of forecasts, by model and outcome (answered, late, failed, rested)',
      labelNames: ['stream', 'source', 'outcome'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [stream, read] of watched)
          for (const [source, { answered, late, failed, rested }] of Object.entries(read()?.sources ?? {}))
            for (const [outcome, count] of Object.entries({ answered, late, failed, rested }))
              this.inc({ stream, source, outcome }, count);
      },
    });
  }

  observer(stream: string): PipelineObserver {
    this.#effort.set({ stream }, 0);
    this.#unsegmented.inc({ stream }, 0);
    return {
      frameProcessed: (frame) => {
        this.#frames.inc({ stream });
        this.#frameLatency.observe({ stream }, frame.totalMs / 1000);
        this.#inference.observe({ stream }, frame.inferenceMs / 1000);
        this.#unsegmented.inc({ stream }, frame.unsegmented);
      },
      frameDropped: (edge, reason) => this.#dropped.inc({ stream, edge, reason }),
      effortChanged: ({ level, direction, rung }) => {
        this.#effort.set({ stream }, level);
        this.#effortChanges.inc({ stream, direction, stage: rung.stage });
      },
      eventPublished: (latencyMs) => this.#eventLatency.observe({ stream }, latencyMs / 1000),
    };
  }

  /** Counters of the stored pictures of events, read at each scrape. */
  watchEvidence(stream: string, read: () => EvidenceStats): void {
    this.#evidence.set(stream, read);
  }

  /** Size and counters of the recent video, read at each scrape. */
  watchVideo(stream: string, read: () => RecentVideoStats): void {
    this.#video.set(stream, read);
  }

  /** Counts the messages of a stream and whether it is live. */
  sink(stream: string): DraftSink {
    return {
      add: (draft) => {
        this.#messages.inc({ stream, kind: draft.kind });
        if (draft.kind !== 'stream.state') return;
        const { state } = draft.data;
        this.#up.set({ stream }, state === 'live' || state === 'degraded' ? 1 : 0);
      },
    };
  }

  #registerVideo(): void {
    const video = this.#video;
    new Gauge({
      name: 'presage_video_bytes',
      help: 'Memory that the recent video takes',
      labelNames: ['stream'],
      registers: [this.registry],
      collect() {
        for (const [stream, read] of video) this.set({ stream }, read().bytes);
      },
    });
    new Counter({
      name: 'presage_video_dropped_total',
      help: 'Frames that were to be kept as recent video and were not, by reason',
      labelNames: ['stream', 'reason'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [stream, read] of video) {
          for (const [reason, count] of Object.entries(read().dropped)) this.inc({ stream, reason }, count);
        }
      },
    });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, labelNames: ['stream'], registers: [this.registry] });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({
      name,
      help,
      labelNames: ['stream'],
      buckets: LATENCY_BUCKETS_S,
      registers: [this.registry],
    });
  }
}
