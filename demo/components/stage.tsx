import { useSignalEffect } from '@preact/signals';
import type { ComponentChild, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { openFeed } from '../link/open-feed.js';
import type { PictureFeed } from '../link/picture-feed.js';
import { loadMoment } from '../link/moments.js';
import { StageView } from '../overlay/stage-view.js';
import type { StreamModel } from '../state/stream-model.js';
import { clock } from '../state/words.js';
import { usePage } from './context.js';
import { LayerMenu } from './layer-menu.js';
import { PlaceCanvas } from './panels/place-canvas.js';

const GONE = 'The picture of this moment is not kept any more; who was where is.';

/** The video of one stream with what is seen in it; `small` in a grid of many. */
export function Stage({
  model,
  small = false,
}: {
  readonly model: StreamModel;
  readonly small?: boolean;
}): ComponentChild {
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const { view } = usePage();
  const { lost, kind, size } = useStage({ model, small, picture, overlay });

  const format = model.info.value?.format;
  const [width, height] = size[0] > 0 ? size : [format?.width ?? 16, format?.height ?? 9];
  return (
    <div class={small ? 'stage small' : 'stage'} data-feed={kind}>
      <div class="frame" ref={(element) => setRatio(element, width, height)}>
        <canvas
          class="picture"
          ref={picture}
          width={width}
          height={height}
          role="img"
          aria-label={`Video of ${model.id}`}
        />
        <canvas class="overlay" ref={overlay} aria-hidden="true" />
        {!small && view.editing.value && <PlaceCanvas model={model} />}
      </div>
      <StageNotes model={model} small={small} lost={lost} />
    </div>
  );
}

interface StageUse {
  readonly model: StreamModel;
  readonly small: boolean;
  readonly picture: RefObject<HTMLCanvasElement | null>;
  readonly overlay: RefObject<HTMLCanvasElement | null>;
}

interface StageShown {
  readonly lost: string | undefined;
  readonly kind: PictureFeed['kind'];
  readonly size: readonly [width: number, height: number];
}

/** Joins the canvases with the pictures of the stream, and with what the page wants to see of them. */
function useStage({ model, small, picture, overlay }: StageUse): StageShown {
  const { service, view } = usePage();
  const stage = useRef<StageView | undefined>(undefined);
  const [lost, setLost] = useState<string | undefined>(undefined);
  const [kind, setKind] = useState<PictureFeed['kind']>('mjpeg');
  const [gone, setGone] = useState(false);
  const [size, setSize] = useState<readonly [number, number]>([0, 0]);

  useEffect(() => {
    if (!picture.current || !overlay.current) return undefined;
    const canvases = { picture: picture.current, overlay: overlay.current };
    const shown = new StageView(model, canvases, {
      shown: (t, width, height) => {
        setSize((was) => (was[0] === width && was[1] === height ? was : [width, height]));
        if (!small) view.shownT.value = t;
      },
      lost: setLost,
    });
    stage.current = shown;
    const feed = openFeed(service, model.id, small, shown, setKind);
    return () => {
      feed.close();
      shown.destroy();
      stage.current = undefined;
    };
  }, [model, small, service, view, picture, overlay]);

  useSignalEffect(() => {
    const { current } = stage;
    if (!current) return;
    current.layers = small ? { ...view.layers.value, names: false } : view.layers.value;
    current.lit = small ? new Set() : view.lit.value;
    current.touch();
  });
  useSignalEffect(() => {
    const t = view.scrubT.value;
    if (small) return;
    if (t === undefined) {
      stage.current?.freeze(undefined);
      setGone(false);
      return;
    }
    void loadMoment(service, model.id, t).then((kept) => {
      if (view.scrubT.value !== t) return;
      stage.current?.freeze({ t: kept?.t ?? t, picture: kept });
      setGone(kept === undefined);
    });
  });
  return { lost: gone ? GONE : lost, kind, size };
}

/** By script, since the page's policy allows no inline styles. */
function setRatio(element: HTMLElement | null, width: number, height: number): void {
  element?.style.setProperty('--ratio', String(width / height));
}

function StageNotes(props: {
  readonly model: StreamModel;
  readonly small: boolean;
  readonly lost: string | undefined;
}): ComponentChild {
  const { model, small, lost } = props;
  const { service, view } = usePage();
  const state = model.info.value?.state ?? 'connecting';
  const scrub = small ? undefined : view.scrubT.value;
  const away = service.link.value.state === 'offline';
  const standing = state === 'live' || state === 'degraded';
  const trouble = away
    ? 'Presage is offline. This is the last picture.'
    : standing || state === 'ended'
      ? lost
      : (model.info.value?.reason ?? `The stream is ${state}`);
  return (
    <>
      <div class="stage-head">
        {scrub === undefined ? (
          <span class={`chip state-${away ? 'offline' : state}`}>
            <i class="dot" />
            {away ? 'offline' : state === 'degraded' ? 'live, under load' : state}
          </span>
        ) : (
          <button class="chip back-live" onClick={() => view.goLive()}>
            <i class="dot" />
            {clock(scrub)} · back to live
          </button>
        )}
        {small && <span class="chip name">{model.id}</span>}
        {!small && <LayerMenu />}
      </div>
      {trouble !== undefined && (
        <p class="stage-trouble" role="status">
          {trouble}
        </p>
      )}
    </>
  );
}
