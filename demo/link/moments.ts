import type { Picture } from './picture-feed.js';
import type { Service } from './service.js';

/** Pictures of moments that are looked at again; the service keeps them for seconds only. */
const MOST_KEPT = 48;
const kept = new Map<string, Promise<Blob | undefined>>();

/** The picture nearest to a media time, as a blob; undefined when it is not kept any more. */
export function momentBlob(service: Service, streamId: string, t: number): Promise<Blob | undefined> {
  const key = `${streamId} ${t.toFixed(1)}`;
  const known = kept.get(key);
  if (known) return known;
  const asked = ask(service, streamId, t);
  kept.set(key, asked);
  void asked.then((blob) => blob ?? kept.delete(key));
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
  return asked;
}

/** The same, to be drawn. */
export async function loadMoment(service: Service, streamId: string, t: number): Promise<Picture | undefined> {
  const blob = await momentBlob(service, streamId, t);
  if (!blob) return undefined;
  const image = await createImageBitmap(blob);
  return { t, image, width: image.width, height: image.height };
}

async function ask(service: Service, streamId: string, t: number): Promise<Blob | undefined> {
  const path = `/v1/streams/${encodeURIComponent(streamId)}/frame.jpg?t=${t.toFixed(3)}`;
  const response = await service.fetch(path).catch(() => undefined);
  return response?.ok ? response.blob() : undefined;
}
