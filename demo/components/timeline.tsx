import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { paintTimeline, TIMELINE, timeAt, xAt } from '../overlay/timeline-painter.js';
import type { SeenEvent, StreamModel } from '../state/stream-model.js';
import { clock, eventText } from '../state/words.js';
import { usePage, useTicks } from './context.js';

/** An event nearer to the pointer than this is meant, px. */
const GRAB_PX = 8;
const STEP_S = 1;
const FINE_STEP_S = 0.2;

/** What happened and what is expected, along time. One can look at any moment of it. */
export function Timeline({ model }: { readonly model: StreamModel }): ComponentChild {
  const { view } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  useTicks(500);
  useEffect(() => {
    let handle = 0;
    let lastMs = 0;
    const draw = (nowMs: number): void => {
      handle = requestAnimationFrame(draw);
      if (nowMs - lastMs < 60 || !canvas.current) return;
      lastMs = nowMs;
      paintTimeline(canvas.current, model, { scrubT: view.scrubT.peek(), eventId: view.eventId.peek() });
    };
    handle = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(handle);
  }, [model, view]);

  const now = model.clock.now() ?? 0;
  const first = Math.max(now - TIMELINE.past, 0);
  const at = view.scrubT.value ?? now;
  const go = (t: number): void => {
    if (t >= now - 0.3) view.goLive();
    else view.scrubT.value = Math.max(t, first);
  };
  const point = (event: PointerEvent): void => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return;
    const x = event.clientX - box.left;
    const near = event.type === 'pointerdown' ? nearest(model, x, box.width, now) : undefined;
    if (near) view.selectEvent(near.id, near.t);
    else go(timeAt(x, box.width, now));
  };
  return (
    <div class="timeline">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="slider"
        aria-label="Moment shown"
        aria-valuemin={Math.round(first)}
        aria-valuemax={Math.round(now)}
        aria-valuenow={Math.round(at)}
        aria-valuetext={view.scrubT.value === undefined ? `now, ${clock(now)}` : clock(at)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          point(event);
        }}
        onPointerMove={(event) => event.buttons > 0 && point(event)}
        onKeyDown={(event) => {
          const step = event.shiftKey ? FINE_STEP_S : STEP_S;
          if (event.key === 'ArrowLeft') go(at - step);
          else if (event.key === 'ArrowRight') go(at + step);
          else if (event.key === 'Home') go(first);
          else if (event.key === 'End' || event.key === 'Escape') view.goLive();
          else return;
          event.preventDefault();
        }}
      />
    </div>
  );
}

function nearest(model: StreamModel, x: number, width: number, now: number): SeenEvent | undefined {
  let best: SeenEvent | undefined;
  let bestPx = GRAB_PX;
  for (const event of model.events.value) {
    const apart = Math.abs(xAt(event.t, width, now) - x);
    if (apart < bestPx) [best, bestPx] = [event, apart];
  }
  return best;
}

/** What happened, newest first. */
export function EventList({ model }: { readonly model: StreamModel }): ComponentChild {
  const { view } = usePage();
  const events = model.events.value.slice(0, 60);
  const explained = model.explanations.value;
  return (
    <section class="events" aria-label="What happened">
      <h2>What happened</h2>
      {events.length === 0 && <p class="empty">Nothing yet. Whatever happens is listed here.</p>}
      <ol>
        {events.map((event) => (
          <li key={event.id}>
            <button
              aria-pressed={view.eventId.value === event.id}
              onClick={() => view.selectEvent(event.id, event.t)}
              onPointerEnter={() => view.light(event.participants.map(({ id }) => id))}
              onPointerLeave={() => view.light([])}
            >
              <time>{clock(event.t)}</time>
              <span class="what">{eventText(event)}</span>
              {explained.has(event.id) && <span class="why">why</span>}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
