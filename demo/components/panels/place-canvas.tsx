import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Point } from '../../../src/client/index.js';
import { PlaceDraft, type Shape } from '../../state/place-draft.js';
import type { StreamModel } from '../../state/stream-model.js';

const drafts = new WeakMap<StreamModel, PlaceDraft>();

/** The draft of a stream's places, the same for the picture and the list. */
export function draftOf(model: StreamModel): PlaceDraft {
  const known = drafts.get(model) ?? new PlaceDraft();
  drafts.set(model, known);
  return known;
}

/** Zones and lines over the picture: a click adds a point, points are dragged, arrow keys move them. */
export function PlaceCanvas({ model }: { readonly model: StreamModel }): ComponentChild {
  const draft = draftOf(model);
  const svg = useRef<SVGSVGElement>(null);
  const dragged = useRef<number | undefined>(undefined);
  useEffect(() => svg.current?.focus(), []);
  const at = (event: PointerEvent): Point => {
    const box = svg.current?.getBoundingClientRect();
    return box ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [0, 0];
  };
  const current = draft.current;
  return (
    <svg
      ref={svg}
      class="places"
      viewBox="0 0 1000 1000"
      preserveAspectRatio="none"
      tabIndex={0}
      role="application"
      aria-label="Draw on the picture. Enter adds a point, arrow keys move it, Tab chooses the next, Delete removes it."
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const point = at(event);
        const near =
          current?.points.findIndex((one) => Math.hypot(one[0] - point[0], one[1] - point[1]) < 0.025) ?? -1;
        if (near < 0) draft.addPoint(point);
        draft.point.value = near < 0 ? draft.point.value : near;
        dragged.current = draft.point.value;
      }}
      onPointerMove={(event) => {
        if (dragged.current !== undefined && event.buttons > 0) draft.movePoint(dragged.current, at(event));
      }}
      onPointerUp={() => (dragged.current = undefined)}
      onKeyDown={(event) => {
        if (handleKey(event, draft)) event.preventDefault();
      }}
    >
      {draft.shapes.value.map((shape, index) => (
        <Drawn key={index} shape={shape} chosen={index === draft.chosen.value} point={draft.point.value} />
      ))}
    </svg>
  );
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function handleKey(event: KeyboardEvent, draft: PlaceDraft): boolean {
  const arrow = ARROWS[event.key];
  const count = draft.current?.points.length ?? 0;
  if (arrow) draft.nudge(arrow[0], arrow[1]);
  else if (event.key === 'Enter') {
    const from = draft.current?.points[draft.point.value];
    draft.addPoint(from ? [from[0] + 0.1, from[1]] : [0.5, 0.5]);
  } else if (event.key === 'Delete' || event.key === 'Backspace') draft.removePoint();
  else if (event.key === 'Tab' && !event.shiftKey && draft.point.value < count - 1) draft.point.value += 1;
  else return false;
  return true;
}

function Drawn({
  shape,
  chosen,
  point,
}: {
  readonly shape: Shape;
  readonly chosen: boolean;
  readonly point: number;
}): ComponentChild {
  const points = shape.points.map(([x, y]) => `${x * 1000},${y * 1000}`).join(' ');
  const kind = `${shape.kind} ${chosen ? 'chosen' : ''}`;
  return (
    <g class={kind}>
      {shape.kind === 'zone' ? <polygon points={points} /> : <polyline points={points} />}
      {chosen &&
        shape.points.map(([x, y], index) => (
          <line
            key={index}
            class={index === point ? 'handle on' : 'handle'}
            x1={x * 1000}
            y1={y * 1000}
            x2={x * 1000}
            y2={y * 1000}
          />
        ))}
    </g>
  );
}
