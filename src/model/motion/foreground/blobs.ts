import type { Affine } from '../../../core/maths/box.js';
import { transformEdges } from '../camera/affine.js';
import { ColourModel } from './colours.js';
import { toComponent, type Component } from './components.js';
import type { WorkPlanes } from '../background/planes.js';
import { splitComponent } from './split.js';

/** Work px: `left` ≤ x < `right`, `top` ≤ y < `bottom`. */
export interface Edges {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A thing in front of the background as it was last seen; the short memory that splits and joins masks. */
export interface Blob {
  edges: Edges;
  /** px */
  area: number;
  /** Of the centre, px/s. */
  velocity: readonly [x: number, y: number];
  readonly colours: ColourModel;
  readonly since: number;
  lastSeen: number;
  /** Where it has stood still, and since when. */
  anchor: Edges;
  anchoredAt: number;
  /** Where it was first seen. */
  birth: Edges;
  /**
   * It is a thing, and no leftover of light, wind or the background: it stood on plain ground when the stream began, or it
   * went a way of its own.
   */
  proven: boolean;
  /** Stood there when the stream began. */
  readonly standing: boolean;
}

/** A blob in this picture. */
export interface BlobObservation {
  readonly blob: Blob;
  readonly component: Component;
  /** It touches another blob; the border between them was drawn by colour and shape. */
  readonly touching: boolean;
}

/** Most blobs that are remembered; smaller ones go first. */
const MAX_BLOBS = 512;
/** A blob that was not seen for this long is forgotten, s. */
const FORGET_S = 1;
/** A component holds a blob when it covers this share of the blob's mask in the predicted box. */
const HELD_SHARE = 0.4;
/** Pieces are put together when they fill a box not larger than the blob's predicted one by this factor... */
const PIECES_GROWTH = 1.2;
/** A blob that still overlaps its anchor this much (IoU) stands still. */
const STILL_IOU = 0.8;
/** A blob has gone a way of its own when its centre is this far from where it was born, in shares of its size. */
const PROVEN_WAY = 0.3;
const VELOCITY_WEIGHT = 0.4;
/** The longest step over which a velocity is believed, s. */
const LONGEST_STEP_S = 0.5;

/** Follows masks from picture to picture, so that things that touch stay two and things that break up stay one. */
export class BlobMemory {
  #blobs: Blob[] = [];

  get blobs(): readonly Blob[] {
    return this.#blobs;
  }

  clear(): void {
    this.#blobs = [];
  }

  /** The camera moved: last picture → this one. */
  transform(camera: Affine): void {
    for (const blob of this.#blobs) {
      blob.edges = transformEdges(camera, blob.edges);
      blob.anchor = transformEdges(camera, blob.anchor);
      blob.birth = transformEdges(camera, blob.birth);
    }
  }

  forget(gone: ReadonlySet<Blob>): void {
    this.#blobs = this.#blobs.filter((blob) => !gone.has(blob));
  }

  /**
   * Assigns the components to blobs.
   *
   * @param standing new blobs were there when the stream began
   */
  resolve(
    components: readonly Component[],
    frame: WorkPlanes,
    { t, dtS, standing }: { t: number; dtS: number; standing: boolean },
  ): BlobObservation[] {
    const predicted = new Map(this.#blobs.map((blob) => [blob, predict(blob, t)]));
    const held = components.map((component) => this.#heldBy(component, predicted));
    const { whole: pieces, used } = this.#collectPieces(components, held, predicted);
    const sights: BlobObservation[] = [];
    components.forEach((component, k) => {
      const blobs = held[k] ?? [];
      if (blobs.length > 1) {
        const parts = splitComponent(component, blobs, predicted, frame);
        for (const [blob, part] of parts)
          sights.push(this.#see(blob, part, { frame, t, dtS, touching: true }));
      } else if (blobs[0]) {
        const whole = pieces.get(blobs[0]) ?? component;
        sights.push(this.#see(blobs[0], whole, { frame, t, dtS, touching: false }));
      } else if (!used.has(k)) sights.push(this.#begin(component, frame, t, standing));
    });
    this.#blobs = this.#blobs.filter(({ lastSeen }) => t - lastSeen <= FORGET_S);
    if (this.#blobs.length > MAX_BLOBS) {
      this.#blobs.sort((a, b) => b.area - a.area);
      this.#blobs.length = MAX_BLOBS;
    }
    return sights;
  }

  /** Each blob goes to the component that covers most of it, if that is enough. */
  #heldBy(component: Component, predicted: ReadonlyMap<Blob, Edges>): Blob[] {
    return this.#blobs.filter((blob) => {
      const edges = predicted.get(blob) as Edges;
      if (!meets(component, edges)) return false;
      const most = Math.min(blob.area, component.area);
      return (
        areaInside(component, edges) >= HELD_SHARE * most && component.area >= HELD_SHARE ** 2 * blob.area
      );
    });
  }

  /** Where several components hold the same one blob and no other: the largest, or all of them where they fill its box. */
  #collectPieces(
    components: readonly Component[],
    held: Blob[][],
    predicted: ReadonlyMap<Blob, Edges>,
  ): { whole: Map<Blob, Component>; used: Set<number> } {
    const byBlob = new Map<Blob, number[]>();
    held.forEach((blobs, k) => {
      for (const blob of blobs) byBlob.set(blob, [...(byBlob.get(blob) ?? []), k]);
    });
    const whole = new Map<Blob, Component>();
    const used = new Set<number>();
    for (const [blob, all] of byBlob) {
      if (all.length < 2) continue;
      const largest = all.reduce((a, b) => (areaOf(components, b) > areaOf(components, a) ? b : a));
      const alone = all.every((k) => held[k]?.length === 1);
      const joined = toComponent(all.flatMap((k) => components[k]?.runs ?? []));
      const edges = predicted.get(blob) as Edges;
      const fits =
        joined.right - joined.left <= PIECES_GROWTH * (edges.right - edges.left) + 2 &&
        joined.bottom - joined.top <= PIECES_GROWTH * (edges.bottom - edges.top) + 2;
      for (const k of all) if (k !== largest) held[k] = (held[k] ?? []).filter((other) => other !== blob);
      if (!alone || !fits) continue;
      whole.set(blob, joined);
      all.forEach((k) => used.add(k));
    }
    return { whole, used };
  }

  #see(
    blob: Blob,
    component: Component,
    { frame, t, dtS, touching }: { frame: WorkPlanes; t: number; dtS: number; touching: boolean },
  ): BlobObservation {
    const before = blob.edges;
    const { left, top, right, bottom } = component;
    blob.edges = { left, top, right, bottom };
    if (dtS > 0 && dtS <= LONGEST_STEP_S && t > blob.lastSeen) {
      const gone = t - blob.lastSeen;
      const x = ((left + right - before.left - before.right) / 2 / gone) * VELOCITY_WEIGHT;
      const y = ((top + bottom - before.top - before.bottom) / 2 / gone) * VELOCITY_WEIGHT;
      const keep = 1 - VELOCITY_WEIGHT;
      blob.velocity = [keep * blob.velocity[0] + x, keep * blob.velocity[1] + y];
    } else blob.velocity = [0, 0];
    if (!touching) {
      blob.colours.learn(frame, component.runs);
      blob.area = component.area;
    }
    blob.lastSeen = t;
    blob.proven ||= !touching && wayOf(blob) > PROVEN_WAY;
    if (overlap(blob.edges, blob.anchor) < STILL_IOU) {
      blob.anchor = blob.edges;
      blob.anchoredAt = t;
    }
    return { blob, component, touching };
  }

  #begin(component: Component, frame: WorkPlanes, t: number, standing: boolean): BlobObservation {
    const { left, top, right, bottom, area } = component;
    const edges = { left, top, right, bottom };
    const colours = new ColourModel();
    colours.learn(frame, component.runs);
    const blob: Blob = {
      ...{ edges, area, colours, standing, proven: standing, birth: edges, anchor: edges, anchoredAt: t },
      ...{ velocity: [0, 0], since: t, lastSeen: t },
    };
    this.#blobs.push(blob);
    return { blob, component, touching: false };
  }
}

/** From the place of birth, in shares of the blob's size. Both sides must have moved: what only grows goes nowhere. */
function wayOf({ edges, birth }: Blob): number {
  const [width, height] = [edges.right - edges.left, edges.bottom - edges.top];
  const along = (from: number, to: number): number =>
    Math.sign(from) === Math.sign(to) ? Math.min(Math.abs(from), Math.abs(to)) : 0;
  const x = along(edges.left - birth.left, edges.right - birth.right);
  const y = along(edges.top - birth.top, edges.bottom - birth.bottom);
  return Math.hypot(x, y) / Math.sqrt(width * height);
}

function predict({ edges, velocity, lastSeen }: Blob, t: number): Edges {
  const ahead = Math.min(t - lastSeen, LONGEST_STEP_S);
  const [dx, dy] = [velocity[0] * ahead, velocity[1] * ahead];
  return {
    left: edges.left + dx,
    top: edges.top + dy,
    right: edges.right + dx,
    bottom: edges.bottom + dy,
  };
}

function areaOf(components: readonly Component[], k: number): number {
  return components[k]?.area ?? 0;
}

function meets(a: Edges, b: Edges): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Marked pixels of the component inside the edges. */
function areaInside({ runs }: Component, { left, top, right, bottom }: Edges): number {
  let area = 0;
  for (const { row, from, to } of runs) {
    if (row + 0.5 < top || row + 0.5 > bottom) continue;
    area += Math.max(0, Math.min(to, right) - Math.max(from, left));
  }
  return area;
}

function overlap(a: Edges, b: Edges): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const size = (e: Edges): number => (e.right - e.left) * (e.bottom - e.top);
  return (width * height) / (size(a) + size(b) - width * height);
}
