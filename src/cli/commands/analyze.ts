import { PresageError } from '../../core/errors.js';
import type { Draft } from '../../core/messages.js';
import type { Source, VideoFormat } from '../../core/source.js';
import type { Frame } from '../../core/video/frame.js';
import { findFfmpeg } from '../../ingest/ffmpeg-binary.js';
import { openSource } from '../../ingest/open-source.js';
import { parseSource } from '../../ingest/source-spec.js';
import { OverlayState } from '../../render/overlay/overlay-state.js';
import { ReportBuilder } from '../../render/report/report-builder.js';
import { VideoRenderer } from '../../render/video/video-renderer.js';
import { analyzeRecording, type OpenRecording } from '../../service/recording/analyze-recording.js';
import type { DraftSink } from '../../service/session/draft-sink.js';
import { SharedModels } from '../../service/shared-models.js';
import { JsonlWriter } from '../../transport/messages/jsonl-writer.js';
import type { CommandContext } from '../command-context.js';
import type { Settings } from '../options/option-table.js';
import { allowsInspection, modelsOptions, stageOptions } from '../options/service-options.js';
import { loadPlaces } from '../options/settings.js';
import { checkOutputFiles } from '../output-files.js';
import { TerminalAccount } from '../terminal/account.js';
import { ProgressBar } from '../terminal/progress.js';

/** `presage analyze <video>`: analyses every frame as fast as possible; two runs give the same messages. */
export async function analyze(
  { settings, signal }: CommandContext,
  video: string | undefined,
): Promise<void> {
  const spec = parseSource(video ?? '');
  if (spec.kind !== 'file') {
    throw new PresageError('bad_option', `analyze reads files, got ${spec.name}`, {
      hint: 'for a live stream: presage watch SOURCE',
    });
  }
  const places = loadPlaces(settings.places);
  const ffmpeg = await findFfmpeg({ path: settings.ffmpeg });
  signal.throwIfAborted();
  await using source = openSource(spec, { ffmpeg, mode: 'lossless' });
  await checkOutputFiles([settings.out, settings.render, settings.report], spec.path);
  await using outputs = await Outputs.open(settings, spec.name, ffmpeg.path);
  await using models = await SharedModels.open(modelsOptions(settings), signal);
  if (models.problem) process.stderr.write(`presage: ${models.problem.message}\n`);
  await analyzeRecording({
    id: settings.id,
    source,
    models,
    places,
    stages: stageOptions(settings),
    uses: {
      inspections: allowsInspection(settings) ? 'recent' : 'none',
      pictures: settings.report !== undefined,
    },
    stamp: settings.stamp,
    messageSinks: outputs.jsonl ? [outputs.jsonl] : [],
    sinks: (recording) => [outputs.begin(recording, models.perception.info.model)],
    signal,
  });
  await outputs.finish();
}

interface Counts {
  frames: number;
  events: number;
  hits: number;
  misses: number;
}

/** Files and terminal output of one analysis. The files appear after the whole analysis has succeeded, or not at all. */
class Outputs implements DraftSink, AsyncDisposable {
  readonly jsonl: JsonlWriter | undefined;
  readonly #settings: Settings;
  readonly #sourceName: string;
  readonly #ffmpegPath: string;
  readonly #account: TerminalAccount | undefined;
  readonly #overlay: OverlayState | undefined;
  readonly #counts: Counts = { frames: 0, events: 0, hits: 0, misses: 0 };
  #renderer: VideoRenderer | undefined;
  #format: VideoFormat | undefined;
  #report: ReportBuilder | undefined;
  #progress: ProgressBar | undefined;
  #source: Source | undefined;
  /** Why the recording ended early. */
  #endReason: string | undefined;
  #startMs = performance.now();

  private constructor(
    settings: Settings,
    sourceName: string,
    ffmpegPath: string,
    jsonl: JsonlWriter | undefined,
  ) {
    this.#settings = settings;
    this.#sourceName = sourceName;
    this.#ffmpegPath = ffmpegPath;
    this.jsonl = jsonl;
    const { out, render, report } = settings;
    if (out === undefined && render === undefined && report === undefined)
      this.#account = new TerminalAccount(process.stdout);
    if (render !== undefined) this.#overlay = new OverlayState();
  }

  static async open(settings: Settings, sourceName: string, ffmpegPath: string): Promise<Outputs> {
    const jsonl = settings.out === undefined ? undefined : await JsonlWriter.open(settings.out);
    return new Outputs(settings, sourceName, ffmpegPath, jsonl);
  }

  /** Starts the clock and, where one is wanted, the report. */
  begin({ source, video }: OpenRecording, model: string): this {
    this.#source = source;
    this.#startMs = performance.now();
    const { report, reasoner } = this.#settings;
    if (report !== undefined)
      this.#report = new ReportBuilder({ source: this.#sourceName, model, settings: { reasoner }, video });
    return this;
  }

  addFrame(frame: Frame): void {
    this.#counts.frames += 1;
    if (!this.#account) {
      this.#progress ??= new ProgressBar({ duration: this.#source?.duration });
      this.#progress.update({ frames: this.#counts.frames, t: frame.t });
    }
  }

  add(draft: Draft): void {
    this.#account?.show(draft);
    this.#overlay?.add(draft);
    this.#report?.add(draft);
    if (draft.kind === 'event.observed') this.#counts.events += 1;
    if (draft.kind === 'stream.state') {
      this.#format = draft.data.source ?? this.#format;
      if (draft.data.state === 'ended') this.#endReason = draft.data.reason;
    }
    if (draft.kind === 'prediction.resolved') {
      if (draft.data.prediction.outcome === 'hit') this.#counts.hits += 1;
      if (draft.data.prediction.outcome === 'miss') this.#counts.misses += 1;
    }
  }

  /** Waits for the pictures of the report and renders the frame. */
  async afterFrame(frame: Frame): Promise<void> {
    await this.#report?.settle();
    await this.#paint(frame);
  }

  async #paint(frame: Frame): Promise<void> {
    const { render } = this.#settings;
    if (render === undefined || !this.#overlay) return;
    const { width, height } = frame.layout;
    this.#renderer ??= new VideoRenderer({
      ffmpegPath: this.#ffmpegPath,
      file: render,
      format: { width, height },
      fps: this.#format?.fps ?? 0,
    });
    await this.#renderer.write(frame, this.#overlay.view(frame.t));
  }

  async finish(): Promise<void> {
    this.#progress?.finish();
    await this.#renderer?.finish();
    const { report, out, render } = this.#settings;
    if (report !== undefined) await this.#report?.write(report);
    await this.jsonl?.finish();
    const { frames, events, hits, misses } = this.#counts;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const files = [out, render, report].filter((file) => file !== undefined);
    if (this.#endReason !== undefined) process.stderr.write(`presage: ${this.#endReason}\n`);
    process.stderr.write(
      `${frames} frames in ${seconds.toFixed(1)} s (${(frames / seconds).toFixed(1)}/s): ${events} events, ` +
        `${hits + misses} predictions checked, ${hits} came true${files.length === 0 ? '' : `; wrote ${files.join(', ')}`}\n`,
    );
  }

  /** Ends what is unfinished; does nothing after `finish`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#progress?.finish();
    await this.#renderer?.abort();
    await this.jsonl?.abort();
  }
}
