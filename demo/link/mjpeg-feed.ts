import type { Service } from './service.js';
import type { PictureFeed, PictureSink } from './picture-feed.js';

const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 5000;
/** A part beyond this is no picture. */
const MAX_PART_BYTES = 32e6;
/** Without a picture for this long the connection is made anew, ms. */
const STALLED_MS = 20_000;

/** Pictures of a stream by HTTP, each with the media time of its frame. Goes on by itself after an interruption. */
export class MjpegFeed implements PictureFeed {
  readonly kind = 'mjpeg';
  readonly #end = new AbortController();

  constructor(
    service: Service,
    streamId: string,
    private readonly fps: number,
    private readonly sink: PictureSink,
  ) {
    void this.#run(service, streamId);
  }

  close(): void {
    this.#end.abort();
  }

  /** Asked anew: it may have changed while something was awaited. */
  #isClosed(): boolean {
    return this.#end.signal.aborted;
  }

  async #run(service: Service, streamId: string): Promise<void> {
    const { signal } = this.#end;
    let delayMs = FIRST_RETRY_MS;
    const path = `/v1/streams/${encodeURIComponent(streamId)}/video.mjpeg?fps=${this.fps}`;
    while (!this.#isClosed()) {
      try {
        const response = await service.fetch(path, { signal });
        if (!response.ok || !response.body) throw new Error(`The service answers with ${response.status}`);
        for await (const part of partsOf(response.body, signal)) {
          delayMs = FIRST_RETRY_MS;
          const bitmap = await createImageBitmap(new Blob([part.body], { type: 'image/jpeg' }));
          if (this.#isClosed()) bitmap.close();
          else this.sink.picture({ t: part.t, image: bitmap, width: bitmap.width, height: bitmap.height });
        }
        this.sink.lost('The video has ended');
      } catch (thrown) {
        if (this.#isClosed()) return;
        this.sink.lost(thrown instanceof Error ? thrown.message : String(thrown));
      }
      await pause(delayMs, signal);
      delayMs = Math.min(delayMs * 2, LAST_RETRY_MS);
    }
  }
}

interface Part {
  readonly t: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The pictures of a multipart body, whose parts tell their length. */
async function* partsOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Part> {
  const reader = body.getReader();
  const text = new TextDecoder('latin1');
  let held = new Uint8Array(0);
  const more = async (): Promise<boolean> => {
    const timer = setTimeout(() => void reader.cancel(), STALLED_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done || signal.aborted) return false;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    return held.length <= MAX_PART_BYTES;
  };
  try {
    for (;;) {
      const head = text.decode(held.subarray(0, 2048));
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        if (!(await more())) return;
        continue;
      }
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? NaN);
      const t = Number(/x-presage-mediatime: ([\d.]+)/i.exec(head)?.[1] ?? NaN);
      if (!Number.isFinite(length) || !Number.isFinite(t)) return;
      const from = end + 4;
      while (held.length < from + length) if (!(await more())) return;
      yield { t, body: held.slice(from, from + length) };
      held = held.slice(from + length);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
