import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ObjectState } from '../../../src/core/messages.js';
import type { SeenEvent, StreamModel } from '../../state/stream-model.js';
import { clock, span } from '../../state/words.js';
import { useImage, usePage, useTicks } from '../context.js';
import { ObjectDot } from './why-panel.js';

const ASK_EVERY_MS = 3000;
const MAX_GONE = 24;

interface Relation {
  readonly kind: string;
  readonly a: string;
  readonly b: string;
}

/** Who is here, who was, and how they relate. */
export function MemoryPanel({ model }: { readonly model: StreamModel }): ComponentChild {
  const here = model.here.value;
  const relations = useRelations(model);
  const gone = departed(model.events.value, here);
  return (
    <div class="memory">
      <h4>
        Here now <i>{here.length}</i>
      </h4>
      {here.length === 0 && <p class="empty">Nobody is in view.</p>}
      <ul class="people">
        {here.map((object) => (
          <Present key={object.id} object={object} model={model} relations={relations} />
        ))}
      </ul>
      <h4>Was here</h4>
      {gone.length === 0 && <p class="empty">Nobody has left yet.</p>}
      <ul class="people gone">
        {gone.slice(0, MAX_GONE).map((event) => (
          <Departed key={event.id} event={event} model={model} />
        ))}
      </ul>
    </div>
  );
}

interface PresentProps {
  readonly object: ObjectState;
  readonly model: StreamModel;
  readonly relations: readonly Relation[];
}

function Present({ object, model, relations }: PresentProps): ComponentChild {
  const { view } = usePage();
  const { id, state, age } = object;
  const mine = relations.filter(({ a, b }) => a === id || b === id);
  return (
    <li>
      <button
        onClick={() => view.light([id])}
        onPointerEnter={() => view.light([id])}
        onPointerLeave={() => view.light([])}
        onFocus={() => view.light([id])}
        onBlur={() => view.light([])}
      >
        <ObjectDot id={id} />
        <b>{model.phrase(id)}</b>
        <span>{state}</span>
        <time>{span(age)}</time>
        {mine.length > 0 && (
          <small>
            {mine
              .map(({ kind, a, b }) => `${kind.replaceAll('_', ' ')} ${model.phrase(a === id ? b : a)}`)
              .join(', ')}
          </small>
        )}
      </button>
    </li>
  );
}

function Departed({
  event,
  model,
}: {
  readonly event: SeenEvent;
  readonly model: StreamModel;
}): ComponentChild {
  const { view } = usePage();
  useTicks(5000);
  const picture = useImage(`/v1/streams/${encodeURIComponent(model.id)}/evidence/${event.id}`);
  const id = event.participants[0]?.id ?? '';
  const since = (model.clock.now() ?? event.t) - event.t;
  return (
    <li>
      <button onClick={() => view.selectEvent(event.id, event.t)}>
        <span class="thumb">{picture && <img src={picture} alt="" />}</span>
        <b>
          <ObjectDot id={id} /> {model.phrase(id)}
        </b>
        <span>{event.type === 'exit' ? 'left the view' : 'out of sight'}</span>
        <time title={clock(event.t)}>{span(since)} ago</time>
      </button>
    </li>
  );
}

/** The last departure of everyone who is not here. Newest first. */
function departed(events: readonly SeenEvent[], here: readonly ObjectState[]): SeenEvent[] {
  const seen = new Set(here.map(({ id }) => id));
  return events.filter(({ type, participants }) => {
    const id = participants[0]?.id;
    if ((type !== 'exit' && type !== 'disappear') || id === undefined || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** Asked from time to time: relations are not told as messages. */
function useRelations(model: StreamModel): readonly Relation[] {
  const { service } = usePage();
  const [relations, setRelations] = useState<readonly Relation[]>([]);
  useEffect(() => {
    let gone = false;
    const ask = async (): Promise<void> => {
      const answer = await service.http.objects(model.id).catch(() => undefined);
      if (!gone && answer) setRelations(relationsOf(answer));
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [service, model]);
  return relations;
}

/** Those that hold now. */
function relationsOf(answer: Readonly<Record<string, unknown>>): Relation[] {
  const list = Array.isArray(answer['relations']) ? (answer['relations'] as unknown[]) : [];
  return list.flatMap((one) => {
    const { kind, a, b, to } = one as Partial<Relation> & { to?: number | null };
    return typeof kind === 'string' && typeof a === 'string' && typeof b === 'string' && (to ?? null) === null
      ? [{ kind, a, b }]
      : [];
  });
}
