import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChainStep, Explanation } from '../../../src/core/messages.js';
import { colorOf } from '../../../src/core/image/object-colors.js';
import { findMoment } from '../../link/moments.js';
import type { SeenEvent, StreamModel } from '../../state/stream-model.js';
import { clock, eventText, percent } from '../../state/words.js';
import { useImage, usePage } from '../context.js';

/** Without a choice the newest explanation is shown, and stays for this long, ms: long enough to be read. */
const READING_MS = 8000;
/** What the service keeps of its pictures unless it is told to keep less, s. */
const KEPT_S = 18;
/** Pictures of the newest explanations are fetched while the service still has them. */
const FETCHED_AHEAD = 3;

/** Why an event happened: a chain of steps, each of which lights up its objects on the picture of its moment. */
export function WhyPanel({ model }: { readonly model: StreamModel }): ComponentChild {
  const { view } = usePage();
  const explanations = model.explanations.value;
  usePicturesAhead(model, explanations);
  const chosen = view.eventId.value;
  const newest = useNewest(model);
  const id = chosen ?? newest;
  const event = model.events.value.find((one) => one.id === id);
  const explanation = id === undefined ? undefined : explanations.get(id);
  if (!event) return <p class="empty">Choose an event to see why it happened.</p>;
  return <Because key={event.id} event={event} explanation={explanation} model={model} />;
}

/** The event of the newest explanation, changing no faster than one can read. */
function useNewest(model: StreamModel): string | undefined {
  const [shown, setShown] = useState<{ readonly id: string; readonly atMs: number } | undefined>(undefined);
  useEffect(() => {
    const look = (): void => {
      const id = [...model.explanations.peek().keys()].at(-1);
      // What is replayed when the page opens goes by: the first moment that is known tells that it has.
      if (id === undefined || model.clock.now() === undefined) return;
      const nowMs = performance.now();
      setShown((was) =>
        was && (was.id === id || nowMs - was.atMs < READING_MS) ? was : { id, atMs: nowMs },
      );
    };
    look();
    const timer = setInterval(look, 500);
    return () => clearInterval(timer);
  }, [model]);
  return shown?.id;
}

function Because(props: {
  readonly event: SeenEvent;
  readonly explanation: Explanation | undefined;
  readonly model: StreamModel;
}): ComponentChild {
  const { event, explanation, model } = props;
  const [index, setIndex] = useState(-1);
  const step = explanation?.chain[index];
  return (
    <div class="why-panel">
      <EvidenceFrame event={event} step={step} model={model} />
      <div class="why-text">
        <h3>{eventText(event)}</h3>
        <p class="meta">
          {clock(event.t)} · sure to {percent(event.confidence)}
        </p>
        {explanation ? <p>{explanation.text}</p> : <p class="empty">No explanation was given for it.</p>}
      </div>
      {explanation && explanation.chain.length > 0 && (
        <ol class="chain" aria-label="How it came about">
          {explanation.chain.map((one, at) => (
            <li key={at}>
              <button aria-pressed={at === index} onClick={() => setIndex(at === index ? -1 : at)}>
                <span class="marks">
                  {one.objects.slice(0, 3).map((object) => (
                    <ObjectDot key={object} id={object} />
                  ))}
                </span>
                <span class="what">{one.text}</span>
                <time>{clock(one.from)}</time>
              </button>
            </li>
          ))}
        </ol>
      )}
      {explanation && explanation.causes.length > 0 && <Causes explanation={explanation} model={model} />}
      {explanation && <p class="meta by">{byLine(explanation)}</p>}
    </div>
  );
}

function byLine({ by, confidence, verified }: Explanation): string {
  const checked = verified.ok ? 'checked against memory' : `not verified: ${verified.problems.join('; ')}`;
  return `${by.model} · sure to ${percent(confidence)} · ${checked}`;
}

function Causes({
  explanation,
  model,
}: {
  readonly explanation: Explanation;
  readonly model: StreamModel;
}): ComponentChild {
  const { view } = usePage();
  return (
    <div class="causes">
      <h4>Would it have happened without…</h4>
      <ul>
        {explanation.causes.map(({ object, probability, counterfactual }) => (
          <li key={object} onPointerEnter={() => view.light([object])} onPointerLeave={() => view.light([])}>
            <b>
              <ObjectDot id={object} /> {model.phrase(object)}
            </b>
            <span>{counterfactual}</span>
            <i>{percent(probability)}</i>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function ObjectDot({ id }: { readonly id: string }): ComponentChild {
  return (
    <svg class="object-dot" viewBox="0 0 10 10" aria-hidden="true">
      <circle cx="5" cy="5" r="5" fill={colorOf(id)} />
    </svg>
  );
}

interface Lit {
  readonly id: string | undefined;
  readonly box: readonly [number, number, number, number];
}

/** The picture of a step with its objects lit; the picture of the event where none is kept. */
function EvidenceFrame(props: {
  readonly event: SeenEvent;
  readonly step: ChainStep | undefined;
  readonly model: StreamModel;
}): ComponentChild {
  const { event, step, model } = props;
  const { service, view } = usePage();
  const chosen = step !== undefined || view.eventId.value === event.id;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [whole, setWhole] = useState<boolean | undefined>(undefined);
  const crop = useImage(
    whole === false ? `/v1/streams/${encodeURIComponent(model.id)}/evidence/${event.id}` : undefined,
  );
  const t = step ? (step.evidence.at(-1)?.t ?? step.from) : event.t;
  useEffect(() => {
    let gone = false;
    const old = !chosen && (model.clock.now() ?? Infinity) - t > KEPT_S;
    const asked = old ? Promise.resolve(undefined) : findMoment(service, model.id, t);
    void asked.then(async (moment) => {
      const picture = moment && (await createImageBitmap(moment.blob));
      if (!gone) setWhole(picture !== undefined);
      if (!gone && picture && canvas.current)
        paintEvidence(canvas.current, picture, litBoxes(event, step, model, moment.t));
      picture?.close();
    });
    return () => {
      gone = true;
    };
  }, [service, model, event, step, t, chosen]);
  const lit = step ? step.objects : event.participants.map(({ id }) => id);
  return (
    <figure class="evidence" data-lit={lit.join(' ')}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Picture of ${clock(t)}`}
        hidden={whole === false}
        width={EVIDENCE.width}
        height={EVIDENCE.height}
      />
      {whole === false && crop && <img src={crop} alt={`Who took part: ${eventText(event)}`} />}
      {whole === false && crop === null && <p class="empty">No picture of it is kept.</p>}
      <figcaption>
        {clock(t)} · {lit.map((id) => model.phrase(id)).join(', ')}
      </figcaption>
    </figure>
  );
}

function litBoxes(event: SeenEvent, step: ChainStep | undefined, model: StreamModel, t: number): Lit[] {
  const ids = step?.objects ?? event.participants.map(({ id }) => id);
  const known = model.tracks.at(t).objects.filter(({ id }) => ids.includes(id));
  if (known.length > 0) return known.map(({ id, box }) => ({ id, box }));
  if (!step) return event.participants.map(({ id, box }) => ({ id, box }));
  return step.evidence
    .filter((one) => Math.abs(one.t - t) < 0.3)
    .map(({ box }, at) => ({ id: step.objects[at], box }));
}

/** Of the canvas, px: sharp enough for the width of a panel. */
const EVIDENCE = { width: 800, height: 450 } as const;
/** At least this part of the picture is shown: who stands alone has surroundings. */
const MIN_SHOWN = 0.4;

/** Comes close to what is lit and dims the rest. */
function paintEvidence(canvas: HTMLCanvasElement, picture: ImageBitmap, lit: readonly Lit[]): void {
  canvas.width = EVIDENCE.width;
  canvas.height = EVIDENCE.height;
  const ctx = canvas.getContext('2d');
  if (!ctx) return;
  const { left, top, scale } = closeUp(picture, lit);
  ctx.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
  ctx.drawImage(picture, 0, 0);
  if (lit.length === 0) return;
  const { width, height } = picture;
  ctx.fillStyle = 'rgba(8, 8, 10, .55)';
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  const line = 2.5 / scale;
  for (const { box } of lit)
    ctx.roundRect(box[0] * width, box[1] * height, box[2] * width, box[3] * height, 4 * line);
  ctx.fill('evenodd');
  for (const { id, box } of lit) {
    ctx.strokeStyle = colorOf(id ?? '');
    ctx.lineWidth = line;
    ctx.beginPath();
    ctx.roundRect(box[0] * width, box[1] * height, box[2] * width, box[3] * height, 4 * line);
    ctx.stroke();
  }
}

/** The part of the picture that holds what is lit with room around it, of the canvas's shape. All px of the picture. */
function closeUp(picture: ImageBitmap, lit: readonly Lit[]): { left: number; top: number; scale: number } {
  const boxes = lit.length > 0 ? lit.map(({ box }) => box) : [[0, 0, 1, 1] as const];
  const { width, height } = picture;
  const from = [
    Math.min(...boxes.map(([x]) => x)) * width,
    Math.min(...boxes.map(([, y]) => y)) * height,
  ] as const;
  const to = [
    Math.max(...boxes.map(([x, , w]) => x + w)) * width,
    Math.max(...boxes.map(([, y, , h]) => y + h)) * height,
  ] as const;
  const shape = EVIDENCE.width / EVIDENCE.height;
  const wanted = Math.max((to[0] - from[0]) * 1.5, (to[1] - from[1]) * 1.5 * shape, width * MIN_SHOWN);
  const shown = Math.min(wanted, width, height * shape);
  const inside = (middle: number, size: number, whole: number): number =>
    Math.max(Math.min(middle - size / 2, whole - size), 0);
  return {
    left: inside((from[0] + to[0]) / 2, shown, width),
    top: inside((from[1] + to[1]) / 2, shown / shape, height),
    scale: EVIDENCE.width / shown,
  };
}

function usePicturesAhead(model: StreamModel, explanations: ReadonlyMap<string, Explanation>): void {
  const { service } = usePage();
  useEffect(() => {
    const now = model.clock.now();
    if (now === undefined) return;
    for (const { chain, of } of [...explanations.values()].slice(-FETCHED_AHEAD)) {
      const event = model.events.value.find(({ id }) => id === of);
      const times = [event?.t, ...chain.map((step) => step.evidence.at(-1)?.t ?? step.from)];
      for (const t of times) if (t !== undefined && now - t < KEPT_S) void findMoment(service, model.id, t);
    }
  }, [service, model, explanations]);
}
