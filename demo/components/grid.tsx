import type { ComponentChild } from 'preact';
import type { StreamModel } from '../state/stream-model.js';
import { percent, predictionText } from '../state/words.js';
import { usePage } from './context.js';
import { Stage } from './stage.js';

/** All cameras at once. */
export function Grid(): ComponentChild {
  const { service, view } = usePage();
  const streams = service.streams.value;
  const link = service.link.value.state;
  if (streams.length === 0) {
    return (
      <div class="welcome">
        <h2>{link === 'open' ? 'No camera yet' : 'Connecting'}</h2>
        {link === 'open' ? (
          <p>Add a stream, or share the camera of this device. What it sees shows up here.</p>
        ) : (
          <p>One moment.</p>
        )}
        {link === 'open' && (
          <div class="row">
            <button class="primary" onClick={() => (view.dialog.value = 'add')}>
              Add a stream
            </button>
            <button onClick={() => (view.dialog.value = 'publish')}>Share my camera</button>
          </div>
        )}
      </div>
    );
  }
  return (
    <ul class="grid" aria-label="Streams">
      {streams.map(({ id }) => (
        <Tile key={id} model={service.model(id)} />
      ))}
    </ul>
  );
}

function Tile({ model }: { readonly model: StreamModel }): ComponentChild {
  const { view } = usePage();
  const next = model.board.slots.value.find((card) => card && !card.resolved)?.prediction;
  const here = model.here.value.length;
  return (
    <li>
      <button class="tile" aria-label={`Look at ${model.id}`} onClick={() => view.showStream(model.id)}>
        <Stage model={model} small />
        <span class="tile-foot">
          <span>{next ? predictionText(next, undefined, model) : `${here} in view`}</span>
          {next && <b>{percent(next.probability)}</b>}
        </span>
      </button>
    </li>
  );
}
