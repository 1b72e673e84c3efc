import type {
  Draft,
  Explanation,
  MessageData,
  ObservedEvent,
  Prediction,
  ResolvedPrediction,
  Scorecard,
  StreamState,
} from '../../core/messages.js';
import type { EventType } from '../../core/ontology.js';
import {
  clampWidth,
  columnsOf,
  layOut,
  textTraits,
  type Span,
  type Style,
  type TextTraits,
} from './spans.js';
import {
  amount,
  clean,
  mediaTime,
  ObjectNames,
  observedClause,
  outcomeClause,
  percent,
  predictedClause,
  score,
  skill,
  windowPhrase,
} from '../../render/wording.js';

export interface TerminalAccountOptions {
  /** Colours; by default when `out` is a terminal, or according to FORCE_COLOR and NO_COLOR. */
  color?: boolean;
  /** Signs beyond ASCII; by default when the locale is UTF-8. */
  unicode?: boolean;
  /** Columns, 40–160; by default those of the terminal, or 100. */
  width?: number;
  /** Name of the stream, shown with its state, and before each line with `prefix`. */
  stream?: string;
  /** Puts the stream's name before every line: for several streams on one terminal. */
  prefix?: boolean;
}

/** Events so frequent that they get one dim line and the first reason only. */
const TERSE: ReadonlySet<EventType> = new Set<EventType>([
  'appear',
  'disappear',
  'approach',
  'start_moving',
  'stop',
  'turn',
]);
const EVENT_STYLE: Readonly<Partial<Record<EventType, Style>>> = {
  enter: 'green',
  exit: 'yellow',
  meet: 'cyan',
  separate: 'cyan',
  follow: 'cyan',
  collide: ['bold', 'red'],
  fall: ['bold', 'red'],
};
const PLACE_STYLE: Style = 'magenta';
const STATE_STYLE: Readonly<Record<StreamState['state'], Style>> = {
  connecting: 'dim',
  live: 'green',
  degraded: 'yellow',
  reconnecting: 'yellow',
  ended: 'dim',
  failed: ['bold', 'red'],
};

/** Steps of a chain of reasons that are shown, latest first dropped. */
const MAX_STEPS = 3;
/** Events whose clause is remembered, to name them when their explanation comes late. */
const MAX_EVENTS = 256;
/** Predictions whose last shown probability is remembered. */
const MAX_PREDICTIONS = 512;
/** A prediction is printed again when its probability has changed by this much. */
const TOLD_AGAIN = 0.2;
/** Media seconds between two printed scorecards, and the minimum of predictions in one. */
const SCORECARD_EVERY_S = 60;
const SCORECARD_LEAST = 5;
const TIME_COLUMNS = 9;
const BAR_COLUMNS = 10;

/** Prints events, explanations, predictions and their outcomes of a stream on a terminal. */
export class TerminalAccount {
  readonly #out: NodeJS.WritableStream;
  readonly #options: TerminalAccountOptions;
  readonly #traits: TextTraits;
  readonly #names = new ObjectNames();
  readonly #events = new Map<string, { clause: string; terse: boolean }>();
  readonly #printed = new Map<string, number>();
  #lastEvent: string | undefined;
  #state: string | undefined;
  #scorecard: Scorecard | undefined;
  #scorecardShownAt = 0;

  /** @param out where lines go; its errors are its owner's */
  constructor(out: NodeJS.WritableStream, options: TerminalAccountOptions = {}) {
    this.#out = out;
    this.#options = options;
    const found = textTraits(out);
    this.#traits = {
      color: options.color ?? found.color,
      unicode: options.unicode ?? found.unicode,
      width: found.width,
    };
  }

  /** Prints a message if it is relevant; the others supply the names of objects. */
  show(draft: Draft): void {
    this.#names.learn(draft);
    switch (draft.kind) {
      case 'stream.state': {
        this.#showState(draft.mediatime, draft.data);
        return;
      }
      case 'event.observed': {
        this.#showEvent(draft.data.event);
        return;
      }
      case 'explanation.created': {
        this.#showExplanation(draft.data.explanation);
        return;
      }
      case 'prediction.created':
      case 'prediction.updated': {
        this.#showPrediction(draft.mediatime, draft.data.prediction);
        return;
      }
      case 'prediction.resolved': {
        this.#showOutcome(draft.data.prediction);
        return;
      }
      case 'scorecard.updated': {
        this.#offerScorecard(draft.mediatime, draft.data);
        return;
      }
      case 'summary.created': {
        this.#line(draft.mediatime, '≡', 'bold', [{ text: clean(draft.data.text) }]);
        return;
      }
      case 'lagged': {
        this.#showLag(draft.mediatime, draft.data);
        return;
      }
      case 'objects.updated':
      case 'forecast.updated':
        return;
    }
  }

  #showState(t: number, state: StreamState): void {
    const text = `${state.state} ${state.reason ?? ''}`;
    if (text === this.#state) return;
    this.#state = text;
    const over = state.state === 'ended' || state.state === 'failed';
    if (over) this.#showScorecard(t);
    const { source } = state;
    const details = [
      source && `${source.width}×${source.height}`,
      source && source.fps > 0 ? `${amount(source.fps)} fps` : undefined,
      source?.codec,
      state.reason,
    ].filter((part) => part !== undefined && part !== '');
    this.#line(t, state.state === 'live' ? '●' : '○', STATE_STYLE[state.state], [
      { text: clean(this.#options.stream ?? 'stream'), style: 'bold' },
      { text: ' ' },
      { text: state.state, style: STATE_STYLE[state.state] },
      ...(details.length > 0 ? [{ text: `  ${clean(details.join(' · '))}`, style: 'dim' as const }] : []),
    ]);
  }

  #showEvent(event: ObservedEvent): void {
    const clause = clean(observedClause(event));
    const terse = TERSE.has(event.type);
    remember(this.#events, event.id, { clause, terse }, MAX_EVENTS);
    const style = EVENT_STYLE[event.type] ?? (event.zone === undefined ? 'white' : PLACE_STYLE);
    const unsure = event.confidence < 0.5 ? [{ text: '  (unsure)', style: 'dim' as const }] : [];
    if (terse) this.#line(event.t, '·', 'dim', [{ text: clause, style: 'dim' }, ...unsure]);
    else this.#line(event.t, '●', style, [...emphasise(clause), ...unsure]);
    this.#lastEvent = event.id;
  }

  #showExplanation(explanation: Explanation): void {
    const event = this.#events.get(explanation.of);
    const steps = explanation.chain
      .filter((step) => !(step.events.length === 1 && step.events[0] === explanation.of))
      .map((step) => clean(step.text))
      .filter((text) => text !== '');
    const texts = steps.length > 0 ? steps.slice(-MAX_STEPS) : [withoutClause(explanation, event?.clause)];
    const lead = steps.length === 0 ? '' : 'because ';
    const shown = event?.terse ? texts.slice(-1) : texts;
    if (this.#lastEvent !== explanation.of) {
      if (event === undefined) return;
      this.#below('─', [{ text: `why ${event.clause}:`, style: 'dim' }]);
    }
    shown.forEach((text, index) => {
      this.#below(index === shown.length - 1 ? '╰' : '│', [
        {
          text: index > 0 ? `and ${lowerFirst(text)}` : lead === '' ? text : lead + lowerFirst(text),
          style: 'dim',
        },
      ]);
    });
    if (!explanation.verified.ok)
      this.#below(' ', [{ text: '(not all of this could be verified)', style: 'yellow' }]);
  }

  #showPrediction(t: number, prediction: Prediction): void {
    const before = this.#printed.get(prediction.id);
    if (before !== undefined && Math.abs(prediction.probability - before) < TOLD_AGAIN) return;
    remember(this.#printed, prediction.id, prediction.probability, MAX_PREDICTIONS);
    const now = percent(prediction.probability);
    const clause = clean(predictedClause(prediction.event, this.#names));
    this.#line(t, before === undefined ? '→' : '↻', 'blue', [
      { text: before === undefined ? 'expects: ' : 'now expects: ', style: 'blue' },
      ...emphasise(clause),
      { text: ` ${windowPhrase(prediction)}  ` },
      ...bar(prediction.probability, this.#traits.unicode),
      { text: ` ${now}`, style: 'bold' },
      {
        text: `  (usual ${percent(prediction.baseRate)}${before === undefined ? '' : `, before ${percent(before)}`})`,
        style: 'dim',
      },
    ]);
    const why = clean(prediction.justification.text);
    if (why !== '' && before === undefined)
      this.#below('╰', [{ text: `because ${lowerFirst(why)}`, style: 'dim' }]);
  }

  #showOutcome(prediction: ResolvedPrediction): void {
    this.#printed.delete(prediction.id);
    const clause = emphasise(clean(outcomeClause(prediction, this.#names)));
    const predicted = `(predicted ${percent(prediction.probability)})`;
    if (prediction.outcome === 'hit') {
      const after = prediction.leadTime ?? prediction.resolvedAt - prediction.issuedAt;
      this.#line(prediction.resolvedAt, '✓', 'green', [
        ...clause,
        { text: ` – came true after ${amount(after)}\u00a0s `, style: 'green' },
        { text: predicted, style: 'dim' },
      ]);
      return;
    }
    if (prediction.outcome === 'miss') {
      this.#line(prediction.resolvedAt, '✗', 'red', [
        ...clause,
        { text: ' after all ', style: 'red' },
        { text: predicted, style: 'dim' },
      ]);
      return;
    }
    this.#line(prediction.resolvedAt, '∅', 'dim', [
      ...clause,
      { text: ' – could not be checked, the stream broke off ', style: 'dim' },
      { text: predicted, style: 'dim' },
    ]);
  }

  #offerScorecard(t: number, scorecard: Scorecard): void {
    this.#scorecard = scorecard;
    if (t - this.#scorecardShownAt >= SCORECARD_EVERY_S) this.#showScorecard(t);
  }

  #showScorecard(t: number): void {
    const card = this.#scorecard;
    this.#scorecard = undefined;
    if (card === undefined || card.n < SCORECARD_LEAST) return;
    this.#scorecardShownAt = t;
    const lead = card.medianLeadTime;
    this.#line(t, '━', 'bold', [
      { text: `${card.n} forecasts checked`, style: 'bold' },
      { text: `  Brier ${score(card.brier)} · skill ` },
      { text: skill(card.skill), style: (card.skill ?? 0) > 0 ? 'green' : 'yellow' },
      { text: ` · calibration error ${score(card.ece)}` },
      ...(lead === null ? [] : [{ text: ` · ${amount(lead)} s ahead` }]),
    ]);
  }

  #showLag(t: number, lag: MessageData<'lagged'>): void {
    this.#line(t, '▲', 'yellow', [
      { text: `${lag.dropped} messages were left out: this reader is too slow`, style: 'yellow' },
    ]);
  }

  /** A line with its time and sign, wrapped under its text. */
  #line(t: number, sign: string, style: Style, spans: readonly Span[]): void {
    this.#lastEvent = undefined;
    this.#write(
      spans,
      [
        { text: mediaTime(t).padStart(TIME_COLUMNS), style: 'dim' },
        { text: '  ' },
        { text: sign, style },
        { text: ' ' },
      ],
      2,
    );
  }

  /** A line that belongs to the one above it. */
  #below(sign: string, spans: readonly Span[]): void {
    this.#write(
      spans,
      [{ text: ' '.repeat(TIME_COLUMNS + 4) }, { text: sign, style: 'dim' }, { text: ' ' }],
      4,
    );
  }

  #write(spans: readonly Span[], first: readonly Span[], depth: number): void {
    const prefix: Span[] =
      this.#options.prefix === true
        ? [{ text: `${clean(this.#options.stream ?? 'stream')} `, style: 'dim' }]
        : [];
    const rest = [...prefix, { text: ' '.repeat(TIME_COLUMNS + depth + 2) }];
    const width = clampWidth(this.#options.width ?? columnsOf(this.#out));
    const lines = layOut(spans, [...prefix, ...first], rest, { ...this.#traits, width });
    this.#out.write(`${lines.join('\n')}\n`);
  }
}

/** Sets the objects in a clause (`person #4`) apart. */
function emphasise(clause: string): Span[] {
  return clause
    .split(/(#\d+|“[^”]*”)/)
    .filter((part) => part !== '')
    .map((text) => (/^[#“]/.test(text) ? { text, style: 'bold' } : { text }));
}

function bar(probability: number, unicode: boolean): Span[] {
  const full = Math.round(probability * BAR_COLUMNS);
  const [on, off] = unicode ? ['█', '░'] : ['#', '.'];
  const style: Style = probability >= 0.66 ? 'green' : probability >= 0.33 ? 'yellow' : 'red';
  return [
    { text: on.repeat(full), style },
    { text: off.repeat(BAR_COLUMNS - full), style: 'dim' },
  ].filter((span) => span.text !== '') as Span[];
}

/** `They met` → `they met`; names in capitals (`NATS`) and `I` stay. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}

/** The text of an explanation without its first sentence where that repeats the event. */
function withoutClause(explanation: Explanation, clause: string | undefined): string {
  const text = clean(explanation.text);
  if (clause === undefined || !text.startsWith(`${clause}. `)) return text;
  return text.slice(clause.length + 2);
}
