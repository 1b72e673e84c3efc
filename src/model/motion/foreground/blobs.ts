import type { Affine } from '../../../core/maths/box.js';
import { transformEdges } from '../camera/affine.js';
import { ColourModel } from './colours.js';
import type { Blob, Edges } from './blob.js';
import { toComponent, type Component } from './components.js';
import type { WorkPlanes } from '../background/planes.js';
import { splitComponent } from './split.js';

/** A blob in the present picture. */
export interface BlobObservation {
  readonly blob: Blob;
  readonly component: Component;
  /** True when it touches another blob; colour and shape determine the border between them. */
  readonly touching: boolean;
}

/** Maximum number of stored blobs; the smallest are dropped first. */
const MAX_BLOBS = 512;
/** A blob that was not seen for this long is removed, s. */
const FORGET_S = 1;
/** Minimum share of a blob's mask in the predicted box that a component must cover to contain the blob. */
const HELD_SHARE = 0.4;
/** Fragments are joined when their box exceeds the blob's predicted box by at most this factor. */
const PIECES_GROWTH = 1.2;
/** Minimum IoU of a still blob with its anchor. */
const STILL_IOU = 0.8;
/** Minimum distance from the place of birth that proves an object, in shares of the blob's size. */
const PROVEN_DISTANCE = 0.3;
const VELOCITY_WEIGHT = 0.4;
/** Maximum step over which a velocity is valid, s. */
const LONGEST_STEP_S = 0.5;

/** Follows masks from picture to picture: objects that touch remain separate, and objects that break up remain one. */
export class BlobMemory {
  #blobs: Blob[] = [];

  get blobs(): readonly Blob[] {
    return this.#blobs;
  }

  clear(): void {
    this.#blobs = [];
  }

  /** Transforms all blobs by the camera's motion from the last picture to this one, work px. */
  transform(camera: Affine): void {
    for (const blob of this.#blobs) {
      blob.edges = transformEdges(camera, blob.edges);
      blob.anchor = transformEdges(camera, blob.anchor);
      blob.birth = transformEdges(camera, blob.birth);
    }
  }

  remove(blobs: ReadonlySet<Blob>): void {
    this.#blobs = this.#blobs.filter((blob) => !blobs.has(blob));
  }

  /**
   * Assigns the components to blobs.
   *
   * @param standing true: new blobs were present when the stream began
   */
  resolve(
    components: readonly Component[],
    frame: WorkPlanes,
    { t, dtS, standing }: { t: number; dtS: number; standing: boolean },
  ): BlobObservation[] {
    const predicted = new Map(this.#blobs.map((blob) => [blob, predict(blob, t)]));
    const held = components.map((component) => this.#heldBy(component, predicted));
    const { joined, used } = this.#joinFragments(components, held, predicted);
    const observations: BlobObservation[] = [];
    components.forEach((component, k) => {
      const blobs = held[k] ?? [];
      if (blobs.length > 1) {
        const shares = splitComponent(component, blobs, predicted, frame);
        for (const [blob, share] of shares)
          observations.push(this.#update(blob, share, { frame, t, dtS, touching: true }));
      } else if (blobs[0]) {
        const whole = joined.get(blobs[0]) ?? component;
        observations.push(this.#update(blobs[0], whole, { frame, t, dtS, touching: false }));
      } else if (!used.has(k)) observations.push(this.#begin(component, frame, t, standing));
    });
    this.#blobs = this.#blobs.filter(({ lastSeen }) => t - lastSeen <= FORGET_S);
    if (this.#blobs.length > MAX_BLOBS) {
      this.#blobs.sort((a, b) => b.area - a.area);
      this.#blobs.length = MAX_BLOBS;
    }
    return observations;
  }

  /** Returns the blobs that the component covers sufficiently. */
  #heldBy(component: Component, predicted: ReadonlyMap<Blob, Edges>): Blob[] {
    return this.#blobs.filter((blob) => {
      const edges = predicted.get(blob) as Edges;
      if (!meets(component, edges)) return false;
      const maxInside = Math.min(blob.area, component.area);
      return (
        areaInside(component, edges) >= HELD_SHARE * maxInside &&
        component.area >= HELD_SHARE ** 2 * blob.area
      );
    });
  }

  /** Assigns one blob in several components to the largest, or to all of them joined where they fit into its box. */
  #joinFragments(
    components: readonly Component[],
    held: Blob[][],
    predicted: ReadonlyMap<Blob, Edges>,
  ): { joined: Map<Blob, Component>; used: Set<number> } {
    const byBlob = new Map<Blob, number[]>();
    held.forEach((blobs, k) => {
      for (const blob of blobs) byBlob.set(blob, [...(byBlob.get(blob) ?? []), k]);
    });
    const joined = new Map<Blob, Component>();
    const used = new Set<number>();
    for (const [blob, all] of byBlob) {
      if (all.length < 2) continue;
      const largest = all.reduce((a, b) => (areaOf(components, b) > areaOf(components, a) ? b : a));
      const alone = all.every((k) => held[k]?.length === 1);
      const whole = toComponent(all.flatMap((k) => components[k]?.runs ?? []));
      const edges = predicted.get(blob) as Edges;
      const fits =
        whole.right - whole.left <= PIECES_GROWTH * (edges.right - edges.left) + 2 &&
        whole.bottom - whole.top <= PIECES_GROWTH * (edges.bottom - edges.top) + 2;
      for (const k of all) if (k !== largest) held[k] = (held[k] ?? []).filter((other) => other !== blob);
      if (!alone || !fits) continue;
      joined.set(blob, whole);
      all.forEach((k) => used.add(k));
    }
    return { joined, used };
  }

  #update(
    blob: Blob,
    component: Component,
    { frame, t, dtS, touching }: { frame: WorkPlanes; t: number; dtS: number; touching: boolean },
  ): BlobObservation {
    const before = blob.edges;
    const { left, top, right, bottom } = component;
    blob.edges = { left, top, right, bottom };
    if (dtS > 0 && dtS <= LONGEST_STEP_S && t > blob.lastSeen) {
      const stepS = t - blob.lastSeen;
      const x = ((left + right - before.left - before.right) / 2 / stepS) * VELOCITY_WEIGHT;
      const y = ((top + bottom - before.top - before.bottom) / 2 / stepS) * VELOCITY_WEIGHT;
      const keep = 1 - VELOCITY_WEIGHT;
      blob.velocity = [keep * blob.velocity[0] + x, keep * blob.velocity[1] + y];
    } else blob.velocity = [0, 0];
    if (!touching) {
      blob.colours.learn(frame, component.runs);
      blob.area = component.area;
    }
    blob.lastSeen = t;
    blob.proven ||= !touching && distanceOf(blob) > PROVEN_DISTANCE;
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
      edges,
      area,
      colours,
      standing,
      proven: standing,
      birth: edges,
      anchor: edges,
      anchoredAt: t,
      velocity: [0, 0],
      since: t,
      lastSeen: t,
    };
    this.#blobs.push(blob);
    return { blob, component, touching: false };
  }
}

/**
 * Returns the distance from the place of birth in shares of the blob's size. Opposite sides must both have moved: growth is
 * not motion.
 */
function distanceOf({ edges, birth }: Blob): number {
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

/** Returns the number of the component's pixels inside the edges. */
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
