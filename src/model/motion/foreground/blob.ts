import type { ColourModel } from './colours.js';

/** Work px: `left` ≤ x < `right`, `top` ≤ y < `bottom`. */
export interface Edges {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Last state of an object in front of the background, by which masks are split and joined. */
export interface Blob {
  edges: Edges;
  /** px */
  area: number;
  /** Velocity of the centre, px/s. */
  velocity: readonly [x: number, y: number];
  readonly colours: ColourModel;
  readonly since: number;
  lastSeen: number;
  /** Edges at the time since which it stands still. */
  anchor: Edges;
  /** Media time of the anchor, s. */
  anchoredAt: number;
  /** Edges when it was first seen. */
  birth: Edges;
  /**
   * True when it is an object and not an effect of light, wind or the background: it stood on plain ground when the stream
   * began, or it has moved by itself.
   */
  proven: boolean;
  /** True when it stood there when the stream began. */
  readonly standing: boolean;
}
