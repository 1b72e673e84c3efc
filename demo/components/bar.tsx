import type { ComponentChild } from 'preact';
import type { Theme } from '../state/view.js';
import { usePage } from './context.js';
import { Icon } from './icons.js';

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: 'dark', dark: 'light', light: 'system' };
const THEME_ICON = { system: 'auto', dark: 'moon', light: 'sun' } as const;

/** Which stream, whether all is well, and what one can do. */
export function Bar(): ComponentChild {
  const { service, view } = usePage();
  const streams = service.streams.value;
  const link = service.link.value.state;
  const theme = view.theme.value;
  const shown = view.stream.value ?? (streams.length === 1 ? streams[0]?.id : undefined);
  return (
    <header class="bar">
      <h1>
        <svg viewBox="0 0 32 20" aria-hidden="true">
          <circle cx="7" cy="10" r="6" />
          <circle cx="18" cy="10" r="4.5" opacity=".5" />
          <circle cx="27" cy="10" r="3" opacity=".25" />
        </svg>
        Presage
      </h1>
      <nav aria-label="Streams">
        {streams.length > 1 && (
          <button aria-current={shown === undefined} onClick={() => view.showStream(undefined)}>
            <Icon name="grid" /> All
          </button>
        )}
        {streams.map(({ id, state }) => (
          <button key={id} aria-current={shown === id} onClick={() => view.showStream(id)}>
            <i class={`dot state-${link === 'offline' ? 'offline' : state}`} />
            <span>{id}</span>
          </button>
        ))}
      </nav>
      <div class="actions">
        <button onClick={() => (view.dialog.value = 'publish')}>
          <Icon name="camera" />
          <span>Share my camera</span>
        </button>
        <button onClick={() => (view.dialog.value = 'add')} aria-label="Add a stream" title="Add a stream">
          <Icon name="plus" />
        </button>
        <button
          aria-label={`Colours: ${theme}. Change`}
          title={`Colours: ${theme}`}
          onClick={() => view.setTheme(NEXT_THEME[theme])}
        >
          <Icon name={THEME_ICON[theme]} />
        </button>
      </div>
    </header>
  );
}
