import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { StreamModel } from '../../state/stream-model.js';
import { clock } from '../../state/words.js';
import { usePage } from '../context.js';

/** Shorter than this, a rate per hour says nothing, s. */
const MIN_WATCHED_S = 60;

/** How good the predictions are: said beside happened, skill over time, false alarms. */
export function ScoresPanel({ model }: { readonly model: StreamModel }): ComponentChild {
  const scores = model.scores.value;
  const newest = scores.at(-1)?.card;
  const alarms = falseAlarmsAnHour(model);
  if (!newest) return <p class="empty">The first scores come when the first predictions are resolved.</p>;
  const { skill, brier, ece, ap, medianLeadTime, n, reliability } = newest;
  return (
    <div class="scores">
      <dl class="figures">
        <Figure
          name="Brier skill"
          value={skill === null ? '–' : `${skill > 0 ? '+' : ''}${Math.round(skill * 100)} %`}
          note="over the base rate"
        />
        <Figure name="Brier score" value={brier?.toFixed(3) ?? '–'} note="0 is perfect" />
        <Figure name="Calibration error" value={ece?.toFixed(3) ?? '–'} note={`of ${n} forecasts`} />
        <Figure name="Average precision" value={ap?.toFixed(2) ?? '–'} note="1 is perfect" />
        <Figure
          name="Lead time"
          value={medianLeadTime === null ? '–' : `${medianLeadTime.toFixed(1)} s`}
          note="median"
        />
        <Figure name="False alarms" value={alarms === undefined ? '–' : alarms.toFixed(0)} note="an hour" />
      </dl>
      <h4>Said, and what then happened</h4>
      <Reliability points={reliability} />
      <h4>Brier skill over time</h4>
      <SkillChart model={model} />
    </div>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}): ComponentChild {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        {props.value} <small>{props.note}</small>
      </dd>
    </div>
  );
}

function falseAlarmsAnHour(model: StreamModel): number | undefined {
  const past = model.board.past.value;
  const first = past.at(-1)?.issuedAt;
  const now = model.clock.now();
  if (first === undefined || now === undefined || now - first < MIN_WATCHED_S) return undefined;
  return (past.filter(({ outcome }) => outcome === 'miss').length / (now - first)) * 3600;
}

type Bins = readonly { readonly p: number; readonly observed: number; readonly n: number }[];

/** On the diagonal, what was said with a probability happened that often. The area of a dot is its count. */
function Reliability({ points }: { readonly points: Bins }): ComponentChild {
  const most = Math.max(...points.map(({ n }) => n), 1);
  const at = (value: number): number => 14 + value * 172;
  const row = points
    .map(({ p, observed, n }) => `${percentOf(p)} said, ${percentOf(observed)} happened (${n})`)
    .join('; ');
  return (
    <svg class="reliability" viewBox="0 0 300 218" role="img" aria-label={`Reliability: ${row}`}>
      <g class="rules">
        {[0, 0.25, 0.5, 0.75, 1].map((value) => (
          <g key={value}>
            <line x1={34} x2={290} y1={200 - at(value) + 0.5} y2={200 - at(value) + 0.5} />
            <text x={28} y={203 - at(value)} class="end">
              {percentOf(value)}
            </text>
            <text x={34 + value * 256} y={212} class="middle">
              {percentOf(value)}
            </text>
          </g>
        ))}
      </g>
      <line class="ideal" x1={34} y1={186} x2={290} y2={14} />
      <polyline
        class="curve"
        points={points.map(({ p, observed }) => `${34 + p * 256},${200 - at(observed)}`).join(' ')}
      />
      {points.map(({ p, observed, n }, index) => (
        <circle key={index} cx={34 + p * 256} cy={200 - at(observed)} r={2.5 + 5 * Math.sqrt(n / most)}>
          <title>{`${percentOf(p)} said, ${percentOf(observed)} happened, ${n} times`}</title>
        </circle>
      ))}
    </svg>
  );
}

function percentOf(value: number): string {
  return `${Math.round(value * 100)}%`;
}

function SkillChart({ model }: { readonly model: StreamModel }): ComponentChild {
  const { view } = usePage();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const scores = model.scores.value.filter(({ card }) => card.skill !== null);
  const theme = view.theme.value;
  useEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    const made = new UPlot(chartOptions(element), [[], []], element);
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 130 }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [theme]);
  useEffect(() => {
    plot.current?.setData([scores.map(({ t }) => t), scores.map(({ card }) => card.skill ?? null)]);
  });
  const last = scores.at(-1)?.card.skill;
  const label =
    last === undefined || last === null
      ? 'Skill over time: none yet'
      : `Skill over time, now ${percentOf(last)}`;
  return <div class="chart" ref={holder} role="img" aria-label={label} />;
}

function chartOptions(element: HTMLElement): UPlot.Options {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const axis: UPlot.Axis = {
    stroke: of('--muted'),
    grid: { stroke: of('--line'), width: 1 },
    ticks: { show: false },
    font: '11px "Inter Variable", system-ui, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: 130,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false },
      y: { range: (_plot, low, high) => [Math.min(low, -0.05), Math.max(high, 0.3)] },
    },
    axes: [
      { ...axis, values: (_plot, splits) => splits.map((t) => clock(t, false)), size: 26 },
      { ...axis, values: (_plot, splits) => splits.map(percentOf), size: 42 },
    ],
    series: [{}, { stroke: of('--accent'), width: 2, points: { show: false } }],
  };
}
