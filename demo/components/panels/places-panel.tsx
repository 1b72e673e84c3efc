import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PlaceDraft } from '../../state/place-draft.js';
import type { StreamModel } from '../../state/stream-model.js';
import { usePage } from '../context.js';
import { Icon } from '../icons.js';
import { draftOf } from './place-canvas.js';

/** Zones and lines of a stream: drawn on the picture, named here. */
export function PlacesPanel({ model }: { readonly model: StreamModel }): ComponentChild {
  const { service, view } = usePage();
  const draft = draftOf(model);
  const [note, setNote] = useState<{ readonly text: string; readonly bad: boolean } | undefined>(undefined);
  const generation = service.generation.value;
  useEffect(() => {
    view.editing.value = true;
    if (!draft.dirty.peek())
      service.http.places(model.id).then(
        (places) => {
          // Whoever has begun to draw meanwhile goes on.
          if (!draft.dirty.peek()) draft.load(places);
        },
        (error: unknown) => setNote({ text: textOf(error), bad: true }),
      );
    return () => {
      view.editing.value = false;
    };
  }, [service, view, model, draft, generation]);
  const save = async (): Promise<void> => {
    try {
      draft.load(await service.http.setPlaces(model.id, draft.places()));
      setNote({ text: 'Saved. From now on they count.', bad: false });
    } catch (error) {
      setNote({ text: textOf(error), bad: true });
    }
  };
  const current = draft.current;
  return (
    <div class="places-panel">
      <p class="meta">
        {current === undefined
          ? 'A zone is an area that is entered and left; a line is crossed.'
          : `Click on the picture to add points to “${current.name}”, drag them to move them.`}
      </p>
      <PlaceList draft={draft} />
      <div class="row">
        <button onClick={() => draft.begin('zone')}>
          <Icon name="plus" /> Zone
        </button>
        <button onClick={() => draft.begin('line')}>
          <Icon name="plus" /> Line
        </button>
        <button class="primary" disabled={!draft.dirty.value} onClick={() => void save()}>
          Save
        </button>
      </div>
      <p class={note?.bad ? 'note bad' : 'note'} role="status">
        {note?.text}
      </p>
    </div>
  );
}

function PlaceList({ draft }: { readonly draft: PlaceDraft }): ComponentChild {
  return (
    <ul class="place-list">
      {draft.shapes.value.map(({ name, kind, points }, index) => (
        <li key={index} class={index === draft.chosen.value ? 'chosen' : undefined}>
          <input
            type="radio"
            name="place"
            aria-label={`Draw ${name}`}
            checked={index === draft.chosen.value}
            onChange={() => {
              draft.chosen.value = index;
              draft.point.value = 0;
            }}
          />
          <input
            aria-label={`Name of ${kind} ${index + 1}`}
            value={name}
            maxLength={40}
            onInput={(event) => draft.rename(index, event.currentTarget.value)}
          />
          <span>
            {kind}, {points.length} {points.length === 1 ? 'point' : 'points'}
          </span>
          <button class="quiet" aria-label={`Remove ${name}`} onClick={() => draft.remove(index)}>
            <Icon name="trash" />
          </button>
        </li>
      ))}
    </ul>
  );
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
