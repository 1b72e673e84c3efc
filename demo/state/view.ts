import { signal } from '@preact/signals';
import { ALL_LAYERS, type Layers } from '../overlay/painter.js';

export const PANELS = ['why', 'scores', 'memory', 'places', 'ask', 'health'] as const;
export type PanelName = (typeof PANELS)[number];
export type Theme = 'system' | 'light' | 'dark';

/** What the person at the page has chosen; nothing of it comes from the service. */
export class View {
  /** The stream that is shown large; undefined: all of them. */
  readonly stream = signal<string | undefined>(undefined);
  readonly panel = signal<PanelName>('why');
  readonly layers = signal<Layers>(ALL_LAYERS);
  /** Objects that are lit on the picture. */
  readonly lit = signal<ReadonlySet<string>>(new Set());
  /** Media time that is looked at; undefined: now. */
  readonly scrubT = signal<number | undefined>(undefined);
  /** The event that is looked at. */
  readonly eventId = signal<string | undefined>(undefined);
  /** Media time of the picture that is shown. */
  readonly shownT = signal<number | undefined>(undefined);
  readonly dialog = signal<'add' | 'publish' | undefined>(undefined);
  /** Zones are being drawn on the picture. */
  readonly editing = signal(false);
  readonly theme = signal<Theme>(storedTheme());
  /** Told to screen readers. */
  readonly notice = signal('');

  /** Looks at an event: its explanation, and its moment. */
  selectEvent(id: string | undefined, t: number | undefined): void {
    this.eventId.value = id;
    if (id !== undefined) this.panel.value = 'why';
    if (t !== undefined) this.scrubT.value = t;
  }

  showStream(id: string | undefined): void {
    if (this.stream.value === id) return;
    this.stream.value = id;
    this.goLive();
    this.eventId.value = undefined;
    this.editing.value = false;
  }

  goLive(): void {
    this.scrubT.value = undefined;
  }

  light(ids: readonly string[]): void {
    if (ids.length === 0 && this.lit.value.size === 0) return;
    this.lit.value = new Set(ids);
  }

  setTheme(theme: Theme): void {
    this.theme.value = theme;
    if (theme === 'system') localStorage.removeItem('presage-theme');
    else localStorage.setItem('presage-theme', theme);
    applyTheme(theme);
  }
}

function storedTheme(): Theme {
  const stored = localStorage.getItem('presage-theme');
  const theme = stored === 'light' || stored === 'dark' ? stored : 'system';
  applyTheme(theme);
  return theme;
}

function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
