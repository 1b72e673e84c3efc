import type { Picture } from './picture-feed.js';
import type { Service } from './service.js';

/** Pictures of moments that are looked at again; the service keeps them for seconds only. */
const MAX_KEPT = 48;
const kept = new Map<string, Promise<Moment | undefined>>();

/** A picture that is kept, near the moment that was asked for. */
export interface Moment {
  /** Its own media time, s. */
  readonly t: number;
  readonly blob: Blob;
}

/** The picture nearest to a media time; undefined when it is not kept any more. */
export function findMoment(service: Service, streamId: string, t: number): Promise<Moment | undefined> {
  const key = `${streamId} ${t.toFixed(1)}`;
  const known = kept.get(key);
  if (known) return known;
  const asked = ask(service, streamId, t);
  kept.set(key, asked);
  void asked.then((moment) => moment ?? kept.delete(key));
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
  return asked;
}

/** The same, to be drawn. */
export async function loadMoment(
  service: Service,
  streamId: string,
  t: number,
): Promise<Picture | undefined> {
  const moment = await findMoment(service, streamId, t);
  if (!moment) return undefined;
  const image = await createImageBitmap(moment.blob);
  return { t: moment.t, image, width: image.width, height: image.height };
}

async function ask(service: Service, streamId: string, t: number): Promise<Moment | undefined> {
  const path = `/v1/streams/${encodeURIComponent(streamId)}/frame.jpg?t=${t.toFixed(3)}`;
  const response = await service.fetch(path).catch(() => undefined);
  if (response?.status !== 200) return undefined;
  return { t: Number(response.headers.get('x-presage-mediatime') ?? t), blob: await response.blob() };
}
