import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { quantileOf, readHistogram } from '../../state/prometheus.js';
import type { StreamModel } from '../../state/stream-model.js';
import { usePage } from '../context.js';

const ASK_EVERY_MS = 5000;

const REASONS: Readonly<Record<string, string>> = {
  newer_frame: 'a newer frame came first',
  stale: 'too old when its turn came',
  pool_empty: 'no buffer was free',
  no_buffer: 'no buffer was free',
};

/** How the stream is: what comes in, what is lost and why, how late it is. */
export function HealthPanel({ model }: { readonly model: StreamModel }): ComponentChild {
  const info = model.info.value;
  const latency = useLatency(model.id);
  if (!info) return <p class="empty">Nothing is known of this stream yet.</p>;
  const { state, reason, format, processedFps, stage, drops = {}, reconnects = 0, source } = info;
  const lost = Object.entries(drops);
  const total = lost.reduce((sum, [, count]) => sum + count, 0);
  return (
    <div class="health">
      <dl class="facts">
        <Fact name="State" value={reason === undefined ? state : `${state}: ${reason}`} />
        <Fact name="Source" value={source} />
        <Fact
          name="Video"
          value={
            format ? `${format.width} × ${format.height}, ${round(format.fps)} fps, ${format.codec}` : '–'
          }
        />
        <Fact
          name="Processed"
          value={processedFps === undefined ? '–' : `${round(processedFps)} frames a second`}
        />
        <Fact name="Effort" value={stage?.replaceAll('-', ' ') ?? '–'} />
        <Fact
          name="Latency"
          value={latency ? `${ms(latency.median)} median, ${ms(latency.p95)} for 95 %` : '–'}
        />
        <Fact name="Reconnects" value={String(reconnects)} />
      </dl>
      <h4>
        Frames not looked at <i>{total}</i>
      </h4>
      {total === 0 ? (
        <p class="empty">None: every frame was looked at.</p>
      ) : (
        <ul class="drops">
          {lost.map(([why, count]) => (
            <li key={why}>
              <span>{REASONS[why] ?? why.replaceAll('_', ' ')}</span>
              <meter min={0} max={total} value={count} aria-label={why} />
              <b>{count}</b>
            </li>
          ))}
        </ul>
      )}
      <StreamActions model={model} />
    </div>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): ComponentChild {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function StreamActions({ model }: { readonly model: StreamModel }): ComponentChild {
  const { service, view } = usePage();
  const [sure, setSure] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const paused = model.info.value?.state === 'paused';
  const act = async (action: () => Promise<unknown>): Promise<void> => {
    try {
      await action();
      setProblem(undefined);
      await service.refresh();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const remove = async (): Promise<void> => {
    await service.http.deleteStream(model.id);
    view.showStream(undefined);
  };
  return (
    <div class="row">
      <button onClick={() => void act(() => service.http.changeStream(model.id, { paused: !paused }))}>
        {paused ? 'Go on' : 'Pause'}
      </button>
      {sure ? (
        <button class="danger" onClick={() => void act(remove)}>
          Yes, remove {model.id}
        </button>
      ) : (
        <button onClick={() => setSure(true)}>Remove…</button>
      )}
      <p class="note bad" role="status">
        {problem}
      </p>
    </div>
  );
}

interface Latency {
  readonly median: number;
  readonly p95: number;
}

/** Of the frames between two looks at the metrics, s. */
function useLatency(streamId: string): Latency | undefined {
  const { service } = usePage();
  const [latency, setLatency] = useState<Latency | undefined>(undefined);
  useEffect(() => {
    let gone = false;
    const ask = async (): Promise<void> => {
      const response = await service.fetch('/metrics').catch(() => undefined);
      const text = response?.ok ? await response.text() : '';
      const buckets = readHistogram(text, 'presage_frame_latency_seconds', streamId);
      const [median, p95] = [quantileOf(buckets, 0.5), quantileOf(buckets, 0.95)];
      if (!gone) setLatency(median === undefined || p95 === undefined ? undefined : { median, p95 });
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [service, streamId]);
  return latency;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function ms(seconds: number): string {
  return `${Math.round(seconds * 1000)}\u00a0ms`;
}
