import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, type RawData } from 'ws';
import { sampleVideo } from '../../src/service/version.js';
import type { Message } from '../../src/core/messages.js';
import { positive, type Bench } from '../support/bench.js';
import { liveReport, type LiveFigures } from './model-report.js';
import { ServingProcess } from '../support/presage-process.js';
import { addMessage, noForecasts } from '../replay/forecast-messages.js';
import { median } from '../support/statistics.js';
import { TemporaryFolder } from '../support/temporary-folder.js';

/** Models are loaded and the code is compiled, s. */
const WARM_UP_S = 20;
const SAMPLE_EVERY_MS = 2000;
const MB = 1_000_000;

/** What the reasoner takes beside a stream that is watched live: its answers' time, memory, and what is left to perception. */
export const modelLive: Bench = {
  options: { modes: 'rules,forecaster,both', seconds: '60', video: sampleVideo },
  async run(options) {
    const seconds = positive(options, 'seconds');
    const figures: LiveFigures[] = [];
    for (const mode of (options['modes'] ?? '').split(',').filter(Boolean))
      figures.push(await measureLive(mode, options['video'] ?? sampleVideo, seconds));
    return liveReport(figures, seconds);
  },
};

/** The time of each explanation and prediction, and what the process holds, while a stream is watched live. */
async function measureLive(mode: string, video: string, seconds: number): Promise<LiveFigures> {
  await using folder = await TemporaryFolder.make();
  const told = noForecasts();
  const args = [video, '--loop', '--reasoner', mode, '--data', folder.path];
  let watch: ServingProcess;
  try {
    watch = await ServingProcess.start('watch', args);
  } catch (error) {
    const failure = error instanceof Error ? error.message.trim() : String(error);
    return { mode, failure, told, residentMb: NaN, framesPerSecond: NaN, dropped: NaN };
  }
  await using running = watch;
  const health = (await (await fetch(`${running.url}/healthz`)).json()) as {
    details?: { reasoner?: string; reasonerProblem?: string };
  };
  // The product goes on with less where models are missing; its figures are not those of the mode.
  if (health.details?.reasoner !== mode) {
    const failure = health.details?.reasonerProblem ?? 'another mode is in use';
    return { mode, failure, told, residentMb: NaN, framesPerSecond: NaN, dropped: NaN };
  }
  await delay(WARM_UP_S * 1000);
  const client = new WebSocket(`${running.url.replace(/^http/, 'ws')}/v1/streams/cam1/events`);
  client.on('message', (data: RawData) =>
    addMessage(told, JSON.parse((data as Buffer).toString()) as Message),
  );
  client.on('error', (error) => process.stderr.write(`client: ${error.message}\n`));
  const startMs = performance.now();
  const before = await running.metrics();
  const resident: number[] = [];
  while (performance.now() - startMs < seconds * 1000) {
    await delay(SAMPLE_EVERY_MS);
    if (!running.running) throw new Error(`watch --reasoner ${mode} ended by itself`);
    resident.push(((await running.metrics()).get('process_resident_memory_bytes') ?? NaN) / MB);
  }
  const after = await running.metrics();
  const elapsed = (performance.now() - startMs) / 1000;
  client.terminate();
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  return {
    mode,
    told,
    residentMb: median(resident),
    framesPerSecond: grown('presage_frames_processed_total') / elapsed,
    dropped: grown('presage_frames_dropped_total'),
  };
}
