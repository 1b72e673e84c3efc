import type { Box } from '../../src/core/maths/box.js';
import type { EventObserved } from '../../src/core/messages.js';
import type { Percept } from '../../src/core/percept.js';
import type { Places } from '../../src/core/memory.js';
import type { MemoryTrack, ObjectTracker } from '../../src/memory/object-tracker.js';

/** Boxes of one object in px, as observed; `t` ascending. */
export interface TrueTrack {
  readonly id: string;
  readonly label: string;
  readonly rows: readonly { readonly t: number; readonly box: Box }[];
}

/** A recording of synthetic tracks; shared with `make-event-vectors.py`, which expands knots in the same way. */
export interface TrackScript {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Time of the last frame, s. */
  readonly end: number;
  readonly tracks: readonly KnotTrack[];
}

export interface KnotTrack {
  readonly id: string;
  readonly label: string;
  /** [t, x, y, w, h]: position (bottom centre) and box size in px; linear in between. */
  readonly knots: readonly (readonly [t: number, x: number, y: number, w: number, h: number])[];
  /** Wobble of the position: amplitude px and angular frequency rad/s, in x and in y. */
  readonly wobble?: readonly [ax: number, wx: number, ay: number, wy: number];
  /** Times [from, to) in which the object is not observed. */
  readonly unseen?: readonly (readonly [from: number, to: number])[];
}

/** Boxes are rounded to this fraction of a px, so that the last digit of a library does not matter. */
const ROUNDING = 64;

export function expand(script: TrackScript): TrueTrack[] {
  return script.tracks.map((track) => ({
    id: track.id,
    label: track.label,
    rows: expandKnots(track, script),
  }));
}

function expandKnots(track: KnotTrack, { fps, end }: TrackScript): TrueTrack['rows'] {
  const rows: { t: number; box: Box }[] = [];
  const [first, last] = [track.knots[0]!, track.knots[track.knots.length - 1]!];
  const [ax, wx, ay, wy] = track.wobble ?? [0, 0, 0, 0];
  for (let frame = 0; frame <= Math.round(end * fps); frame++) {
    const t = frame / fps;
    if (t < first[0] || t > last[0] || track.unseen?.some(([from, to]) => t >= from && t < to)) continue;
    const j = Math.max(
      1,
      track.knots.findIndex((knot) => knot[0] >= t),
    );
    const [a, b] = [track.knots[j - 1]!, track.knots[j]!];
    const f = (t - a[0]) / (b[0] - a[0]);
    const mix = (i: 1 | 2 | 3 | 4): number => a[i] + (b[i] - a[i]) * f;
    const [w, h] = [mix(3), mix(4)];
    const x = mix(1) + ax * Math.sin(wx * t) - w / 2;
    const y = mix(2) + ay * Math.sin(wy * t + 1) - h;
    rows.push({ t, box: [round(x), round(y), round(w), round(h)] });
  }
  return rows;
}

function round(value: number): number {
  return Math.floor(value * ROUNDING + 0.5) / ROUNDING;
}

/** A tracker with exact tracks: reports the given boxes in the percepts of their times, and nothing else. */
export class TrueTracker implements ObjectTracker {
  #byTime = new Map<string, MemoryTrack[]>();

  /** @param score detection score of every box */
  constructor(tracks: readonly TrueTrack[], score = 1) {
    for (const { id, label, rows } of tracks) {
      const firstSeen = rows[0]?.t ?? 0;
      for (const { t, box } of rows) {
        const here = this.#byTime.get(t.toFixed(4)) ?? [];
        this.#byTime.set(t.toFixed(4), here);
        here.push({ id, label, score, box, velocity: [0, 0], firstSeen, lastSeen: t, seen: true });
      }
    }
  }

  update({ t }: Percept): readonly MemoryTrack[] {
    return this.#byTime.get(t.toFixed(4)) ?? [];
  }

  interrupt(): void {
    // Keeps all tracks: the boxes of later times are still reported.
  }
}

/** An empty percept at time t, for trackers that ignore detections. */
export function perceptAt(t: number, width: number, height: number, index = 0): Percept {
  return { index, t, receivedAtMs: 0, width, height, detections: [], inferenceMs: 0 };
}

/** Percepts of every frame of a recording. */
export function perceptsOf({ width, height, fps, end }: Omit<TrackScript, 'tracks'>): Percept[] {
  return Array.from({ length: Math.round(end * fps) + 1 }, (_, i) => perceptAt(i / fps, width, height, i));
}

/** `type participants t zone direction`, comparable with the vectors of the reference implementation. */
export function eventLine({ event }: EventObserved): string {
  const ids = event.participants.map(({ id }) => id);
  const names = event.type === 'follow' ? ids : ids.sort();
  return [event.type, names.join('+'), event.t.toFixed(3), event.zone, event.direction]
    .filter((part) => part !== undefined)
    .join(' ');
}

export const NO_PLACES: Places = { zones: {}, lines: {} };
