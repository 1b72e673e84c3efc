import { useSignalEffect } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useRef } from 'preact/hooks';
import type { Card } from '../state/prediction-board.js';
import type { StreamModel } from '../state/stream-model.js';
import { comparison, percent, predictionText } from '../state/words.js';
import { usePage, useTicks } from './context.js';

const COUNT_EVERY_MS = 100;

/** What is expected, counting down; green or red when it is known. */
export function Predictions({ model }: { readonly model: StreamModel }): ComponentChild {
  useTicks(COUNT_EVERY_MS);
  useSaying(model);
  const slots = model.board.slots.value;
  const past = model.board.past.value;
  const hits = past.filter(({ outcome }) => outcome === 'hit').length;
  const misses = past.filter(({ outcome }) => outcome === 'miss').length;
  const now = model.clock.now() ?? 0;
  return (
    <section class="predictions" aria-label="What is expected">
      <header>
        <h2>What comes next</h2>
        {hits + misses > 0 && (
          <p class="tally">
            <b class="hit">{hits}</b> came true · <b class="miss">{misses}</b> did not
          </p>
        )}
      </header>
      <ul>
        {slots.map((card, index) => (
          <li key={index} class={card ? undefined : 'vacant'}>
            {card ? (
              <PredictionCard card={card} model={model} now={now} />
            ) : (
              <EmptySlot first={index === 0} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function EmptySlot({ first }: { readonly first: boolean }): ComponentChild {
  return <div class="slot">{first && <p>Nothing out of the ordinary is expected now.</p>}</div>;
}

function PredictionCard(props: {
  readonly card: Card;
  readonly model: StreamModel;
  readonly now: number;
}): ComponentChild {
  const { card, model, now } = props;
  const { view } = usePage();
  const { prediction, resolved } = card;
  const { window, probability, baseRate } = prediction;
  const outcome = resolved?.outcome;
  const whole = Math.max(window.to - prediction.issuedAt, 0.1);
  const left = Math.max(window.to - now, 0);
  const ids = prediction.event.participants;
  const choose = (): void => {
    if (resolved?.eventId !== undefined) view.selectEvent(resolved.eventId, resolved.resolvedAt);
    else view.light(ids);
  };
  return (
    <button
      class={`card ${outcome ?? 'open'}`}
      onClick={choose}
      onPointerEnter={() => view.light(ids)}
      onPointerLeave={() => view.light([])}
      onFocus={() => view.light(ids)}
      onBlur={() => view.light([])}
    >
      <span class="figure">{percent(probability)}</span>
      <span class="body">
        <span class="title">{predictionText(prediction, outcome, model)}</span>
        <span class="sub">{outcome === undefined ? comparison(prediction) : outcomeText(card)}</span>
        <Bar probability={probability} baseRate={baseRate} />
      </span>
      <Countdown outcome={outcome} left={left} part={outcome === undefined ? left / whole : 1} />
    </button>
  );
}

function outcomeText({ prediction, resolved }: Card): string {
  if (resolved?.outcome === 'hit') {
    const lead = resolved.leadTime ?? resolved.resolvedAt - prediction.issuedAt;
    return `Came true, ${Math.max(lead, 0).toFixed(1)} s after it was said`;
  }
  if (resolved?.outcome !== 'miss') return 'Undecided: the picture was lost';
  return prediction.probability < 0.5 ? 'It did not happen, as was likelier' : 'It did not happen';
}

function Bar({
  probability,
  baseRate,
}: {
  readonly probability: number;
  readonly baseRate: number;
}): ComponentChild {
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rail" width="100" height="6" rx="3" />
      <rect class="fill" width={Math.max(probability * 100, 1.5)} height="6" rx="3" />
      <rect class="usual" x={Math.min(baseRate * 100, 99)} width="1" height="6" />
    </svg>
  );
}

const RING = 2 * Math.PI * 15;

function Countdown(props: {
  readonly outcome: string | undefined;
  readonly left: number;
  readonly part: number;
}): ComponentChild {
  const { outcome, left, part } = props;
  const text =
    outcome === 'hit' ? '✓' : outcome === 'miss' ? '✕' : outcome === 'void' ? '–' : left.toFixed(1);
  return (
    <svg
      class="ring"
      viewBox="0 0 36 36"
      role="img"
      aria-label={outcome ?? `${left.toFixed(0)} seconds left`}
    >
      <circle class="rail" cx="18" cy="18" r="15" />
      <circle
        class="run"
        cx="18"
        cy="18"
        r="15"
        stroke-dasharray={`${(RING * Math.min(part, 1)).toFixed(2)} ${RING.toFixed(2)}`}
        transform="rotate(-90 18 18)"
      />
      <text x="18" y="18.5">
        {text}
      </text>
    </svg>
  );
}

/** New predictions and outcomes are said aloud by screen readers, one at a time. */
function useSaying(model: StreamModel): void {
  const { view } = usePage();
  const said = useRef('');
  useSignalEffect(() => {
    const [latest] = model.board.past.value;
    const open = model.board.slots.value.findLast((card) => card && !card.resolved);
    const text =
      latest && latest.id !== said.current
        ? predictionText(latest, latest.outcome, model)
        : open &&
          `${predictionText(open.prediction, undefined, model)}, ${percent(open.prediction.probability)}`;
    if (latest) said.current = latest.id;
    if (text !== undefined) view.notice.value = text;
  });
}
