import type { ComponentChild } from 'preact';
import type { Layers } from '../overlay/painter.js';
import { usePage } from './context.js';
import { Icon } from './icons.js';

const NAMES: Readonly<Record<keyof Layers, string>> = {
  boxes: 'Boxes',
  names: 'Names',
  masks: 'Outlines',
  trails: 'Trails',
  ghosts: 'Paths ahead',
};

/** What is drawn over the picture. */
export function LayerMenu(): ComponentChild {
  const { view } = usePage();
  const layers = view.layers.value;
  return (
    <details class="menu">
      <summary class="chip" aria-label="What is drawn over the picture">
        <Icon name="layers" />
        <span>Overlay</span>
      </summary>
      <fieldset>
        <legend class="hidden">Overlay</legend>
        {(Object.keys(NAMES) as (keyof Layers)[]).map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={layers[name]}
              onChange={(event) => {
                view.layers.value = { ...layers, [name]: event.currentTarget.checked };
              }}
            />
            {NAMES[name]}
          </label>
        ))}
        <p>Paths ahead carry on the present speed and bend.</p>
      </fieldset>
    </details>
  );
}
