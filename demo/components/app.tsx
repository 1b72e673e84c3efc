import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import type { StreamModel } from '../state/stream-model.js';
import { PANELS, type PanelName } from '../state/view.js';
import { AskPanel } from './panels/ask-panel.js';
import { Bar } from './bar.js';
import { usePage } from './context.js';
import { AddDialog, PublishDialog, TokenDialog } from './dialogs.js';
import { Grid } from './grid.js';
import { HealthPanel } from './panels/health-panel.js';
import { MemoryPanel } from './panels/memory-panel.js';
import { PlacesPanel } from './panels/places-panel.js';
import { Predictions } from './predictions.js';
import { ScoresPanel } from './panels/scores-panel.js';
import { Stage } from './stage.js';
import { EventList, Timeline } from './timeline.js';
import { WhyPanel } from './panels/why-panel.js';

const NAMES: Readonly<Record<PanelName, string>> = {
  why: 'Why',
  scores: 'Scores',
  memory: 'Memory',
  places: 'Zones',
  ask: 'Ask',
  health: 'Health',
};

export function App(): ComponentChild {
  const { service, view } = usePage();
  const streams = service.streams.value;
  const [only] = streams;
  const wanted = view.stream.value ?? (streams.length === 1 ? only?.id : undefined);
  const info = streams.find(({ id }) => id === wanted);
  useEventKeys(info && service.model(info.id));
  return (
    <>
      <a class="skip" href="#main">
        Skip to the video
      </a>
      <Bar />
      <Notice />
      <main id="main" class={info ? 'focus' : 'all'}>
        {info ? <Focus key={info.id} model={service.model(info.id)} /> : <Grid />}
      </main>
      {service.link.value.state === 'locked' && <TokenDialog />}
      {view.dialog.value === 'add' && <AddDialog />}
      {view.dialog.value === 'publish' && <PublishDialog />}
      <p class="hidden" role="status" aria-live="polite">
        {view.notice.value}
      </p>
    </>
  );
}

/** One stream: its video with time under it, what is expected beside it, and one of the panels. */
function Focus({ model }: { readonly model: StreamModel }): ComponentChild {
  const { view } = usePage();
  const panel = view.panel.value;
  return (
    <>
      <div class="watch">
        <Stage model={model} />
        <Timeline model={model} />
        <EventList model={model} />
      </div>
      <div class="side">
        <Predictions model={model} />
        <section class="panel" aria-label={NAMES[panel]}>
          <div class="tabs" role="tablist" aria-label="About this stream" onKeyDown={moveTab}>
            {PANELS.map((name) => (
              <button
                key={name}
                id={`tab-${name}`}
                role="tab"
                aria-selected={panel === name}
                aria-controls="panel"
                tabIndex={panel === name ? 0 : -1}
                onClick={() => (view.panel.value = name)}
              >
                {NAMES[name]}
              </button>
            ))}
          </div>
          <div id="panel" class="panel-body" role="tabpanel" tabIndex={0} aria-labelledby={`tab-${panel}`}>
            <Panel name={panel} model={model} />
          </div>
        </section>
      </div>
    </>
  );
}

function Panel({ name, model }: { readonly name: PanelName; readonly model: StreamModel }): ComponentChild {
  switch (name) {
    case 'why':
      return <WhyPanel model={model} />;
    case 'scores':
      return <ScoresPanel model={model} />;
    case 'memory':
      return <MemoryPanel model={model} />;
    case 'places':
      return <PlacesPanel model={model} />;
    case 'ask':
      return <AskPanel model={model} />;
    case 'health':
      return <HealthPanel model={model} />;
  }
}

/** Arrow keys go from tab to tab. */
function moveTab(event: KeyboardEvent): void {
  const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll('button')];
  const at = tabs.indexOf(document.activeElement as HTMLButtonElement);
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (at < 0 || step === 0) return;
  const next = tabs[(at + step + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
  event.preventDefault();
}

function Notice(): ComponentChild {
  const { service } = usePage();
  const link = service.link.value;
  if (link.state !== 'offline') return <div class="notice" role="alert" />;
  return (
    <div class="notice on" role="alert">
      <b>Presage is offline.</b> {link.reason}. The page goes on by itself when it is back.
    </div>
  );
}

/** `[` and `]` go from event to event, space back to now. */
function useEventKeys(model: StreamModel | undefined): void {
  const { view } = usePage();
  useEffect(() => {
    if (!model) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
        return;
      const events = model.events.value;
      const at = events.findIndex(({ id }) => id === view.eventId.value);
      const step = event.key === '[' ? 1 : event.key === ']' ? -1 : 0;
      if (step === 0) return;
      const next = at < 0 ? events[0] : events[Math.max(Math.min(at + step, events.length - 1), 0)];
      if (next) view.selectEvent(next.id, next.t);
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [model, view]);
}
