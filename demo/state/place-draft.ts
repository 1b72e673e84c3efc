import { signal } from '@preact/signals';
import type { Places, Point } from '../../src/client/index.js';

export interface Shape {
  readonly name: string;
  readonly kind: 'zone' | 'line';
  readonly points: readonly Point[];
}

/** Keyboard steps, as fractions of the frame. */
const STEP = 0.01;

/** Zones and lines while they are drawn; nothing is the service's until it is saved. */
export class PlaceDraft {
  readonly shapes = signal<readonly Shape[]>([]);
  readonly chosen = signal(0);
  /** Of the chosen shape: the point that the keyboard moves. */
  readonly point = signal(0);
  readonly dirty = signal(false);

  load({ zones, lines }: Places): void {
    this.shapes.value = [
      ...Object.entries(zones).map(([name, points]): Shape => ({ name, kind: 'zone', points })),
      ...Object.entries(lines).map(([name, points]): Shape => ({ name, kind: 'line', points })),
    ];
    this.chosen.value = 0;
    this.dirty.value = false;
  }

  /** A zone needs three points and a line has two; what has fewer is not saved. */
  places(): Places {
    const zones: Record<string, readonly Point[]> = {};
    const lines: Record<string, readonly [Point, Point]> = {};
    for (const { name, kind, points } of this.shapes.value) {
      const [a, b] = points;
      if (kind === 'zone' && points.length >= 3) zones[name] = points;
      else if (kind === 'line' && a && b) lines[name] = [a, b];
    }
    return { zones, lines };
  }

  get current(): Shape | undefined {
    return this.shapes.value[this.chosen.value];
  }

  begin(kind: Shape['kind']): void {
    const taken = new Set(this.shapes.value.map(({ name }) => name));
    let number = 1;
    while (taken.has(`${kind}-${number}`)) number += 1;
    this.shapes.value = [...this.shapes.value, { name: `${kind}-${number}`, kind, points: [] }];
    this.chosen.value = this.shapes.value.length - 1;
    this.point.value = 0;
    this.dirty.value = true;
  }

  addPoint(point: Point): void {
    const { current } = this;
    if (!current || (current.kind === 'line' && current.points.length >= 2)) return;
    this.#change({ ...current, points: [...current.points, clamped(point)] });
    this.point.value = current.points.length;
  }

  movePoint(index: number, point: Point): void {
    const { current } = this;
    if (!current) return;
    this.#change({
      ...current,
      points: current.points.map((one, at) => (at === index ? clamped(point) : one)),
    });
  }

  nudge(dx: number, dy: number): void {
    const at = this.current?.points[this.point.value];
    if (at) this.movePoint(this.point.value, [at[0] + dx * STEP, at[1] + dy * STEP]);
  }

  removePoint(): void {
    const { current } = this;
    if (!current) return;
    this.#change({ ...current, points: current.points.filter((_, at) => at !== this.point.value) });
    this.point.value = Math.max(this.point.value - 1, 0);
  }

  rename(index: number, name: string): void {
    this.shapes.value = this.shapes.value.map((shape, at) => (at === index ? { ...shape, name } : shape));
    this.dirty.value = true;
  }

  remove(index: number): void {
    this.shapes.value = this.shapes.value.filter((_, at) => at !== index);
    this.chosen.value = Math.max(Math.min(this.chosen.value, this.shapes.value.length - 1), 0);
    this.dirty.value = true;
  }

  #change(shape: Shape): void {
    this.shapes.value = this.shapes.value.map((one, at) => (at === this.chosen.value ? shape : one));
    this.dirty.value = true;
  }
}

function clamped([x, y]: Point): Point {
  const within = (value: number): number => Math.round(Math.max(Math.min(value, 1), 0) * 1e4) / 1e4;
  return [within(x), within(y)];
}
