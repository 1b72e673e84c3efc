import type { ComponentChild, ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CameraPublisher } from '../link/camera-publisher.js';
import { usePage } from './context.js';
import { Icon } from './icons.js';
import { textOf } from './panels/places-panel.js';

interface ModalProps {
  readonly title: string;
  /** Without it the dialog cannot be left. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

/** The browser keeps the focus in it and lets Escape close it. */
function Modal({ title, onClose, children }: ModalProps): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <header>
        <h2 id="dialog-title">{title}</h2>
        {onClose && (
          <button class="quiet" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}

export function TokenDialog(): ComponentChild {
  const { service } = usePage();
  const [token, setToken] = useState('');
  const link = service.link.value;
  const wrong = link.state === 'locked' && link.wrong;
  return (
    <Modal title="Access token">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          service.unlock(token.trim());
        }}
      >
        <p>
          This service answers those who show a token. It stays in this tab and is forgotten when you close
          it.
        </p>
        <label>
          Token
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p class="note bad" role="status">
          {wrong && 'The service does not know this token.'}
        </p>
        <button class="primary" disabled={token.trim() === ''}>
          Open
        </button>
      </form>
    </Modal>
  );
}

export function AddDialog(): ComponentChild {
  const { service, view } = usePage();
  const [id, setId] = useState(`cam${service.streams.peek().length + 1}`);
  const [source, setSource] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const close = (): void => void (view.dialog.value = undefined);
  const add = async (): Promise<void> => {
    try {
      await service.http.createStream({ id: id.trim(), source: source.trim() });
      await service.refresh();
      close();
      view.showStream(id.trim());
    } catch (error) {
      setProblem(textOf(error));
    }
  };
  return (
    <Modal title="Add a stream" onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <label>
          Name
          <input required value={id} maxLength={64} onInput={(event) => setId(event.currentTarget.value)} />
        </label>
        <label>
          Source
          <input
            required
            value={source}
            placeholder="rtsp://camera/stream"
            onInput={(event) => setSource(event.currentTarget.value)}
          />
        </label>
        <p class="meta">
          An address (rtsp, http, HLS), a file or a webcam of the machine that Presage runs on.
        </p>
        <p class="note bad" role="status">
          {problem}
        </p>
        <button class="primary">Add</button>
      </form>
    </Modal>
  );
}

/** Outlives the dialog: the camera goes on while one looks at the page. */
let publisher: CameraPublisher | undefined;

export function PublishDialog(): ComponentChild {
  const { service, view } = usePage();
  const [id, setId] = useState('my-camera');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const close = (): void => void (view.dialog.value = undefined);
  const on = publisher?.state.value === 'live';
  const begin = async (): Promise<void> => {
    setBusy(true);
    try {
      publisher = await CameraPublisher.start(service, id.trim());
      await service.refresh();
      view.showStream(id.trim());
      close();
    } catch (error) {
      setProblem(textOf(error));
    }
    setBusy(false);
  };
  const end = async (): Promise<void> => {
    await publisher?.stop();
    publisher = undefined;
    close();
  };
  return (
    <Modal title="Share my camera" onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void (on ? end() : begin());
        }}
      >
        <p>
          {on
            ? `The camera of this device is shared as “${publisher?.streamId ?? ''}”.`
            : 'The camera of this device becomes a stream of Presage for as long as this page is open. Only the picture is sent.'}
        </p>
        {!on && (
          <label>
            Name
            <input required value={id} maxLength={64} onInput={(event) => setId(event.currentTarget.value)} />
          </label>
        )}
        <p class="note bad" role="status">
          {problem}
        </p>
        <button class={on ? 'danger' : 'primary'} disabled={busy}>
          {on ? 'Stop sharing' : busy ? 'Asking for the camera…' : 'Share'}
        </button>
      </form>
    </Modal>
  );
}
