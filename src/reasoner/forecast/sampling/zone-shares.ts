import type { PolygonIndex } from '../../../core/maths/polygon-index.js';
import type { ZoneIndex } from '../../../core/places-index.js';
import type { TrackState } from '../../tracks/track-state.js';
import type { DueItem } from '../items.js';
import type { Paths } from './paths.js';

/** Samples for which a crossing must hold (0.2 s). */
const HOLD = 3;
/**
 * Positions compared with zones in one forecast. A comparison takes about 10 ns, so this keeps the event loop free within
 * 20 ms. Counted work instead of time keeps the forecast of a recording the same on every machine.
 */
const MAX_TESTS = 1_200_000;

/** Shares of the paths that cross into and out of a zone, 0–1. */
export interface ZoneShare {
  readonly enter: number;
  readonly leave: number;
}

interface Played {
  readonly state: TrackState;
  readonly paths: Paths;
}

const NEVER: ZoneShare = { enter: 0, leave: 0 };

/**
 * Plays the zones of one forecast on the sampled paths of its objects. Each pair of object and zone is played once; zones
 * that no path of an object comes near are not played. Beyond `MAX_TESTS`, every n-th path of each object counts.
 */
export class ZoneShares {
  /** Positions compared so far. */
  tests = 0;
  readonly #zones: ZoneIndex;
  readonly #horizon: number;
  readonly #objects: readonly PlayedObject[];
  readonly #stride: number;

  /** @param horizon steps within which a crossing must happen */
  constructor(zones: ZoneIndex, played: readonly Played[], due: readonly DueItem[], horizon: number) {
    this.#zones = zones;
    this.#horizon = horizon;
    this.#objects = played.map((one) => new PlayedObject(one, horizon));
    let work = 0;
    for (const { type, a, zone } of due) {
      // Every object has both items of a zone; one of them counts the pair.
      if (type !== 'zone_enter') continue;
      const index = zone === undefined ? undefined : zones.zones.get(zone);
      const object = this.#objects[a];
      if (index && object?.comesNear(index)) work += object.positions;
    }
    this.#stride = Math.max(1, Math.ceil(work / MAX_TESTS));
  }

  /** @param object its index among the played objects */
  of(object: number, zone: string): ZoneShare {
    const index = this.#zones.zones.get(zone);
    const played = this.#objects[object];
    if (!index || !played?.comesNear(index)) return NEVER;
    return played.shareOf(zone, () => this.#play(played, index));
  }

  #play({ state, paths, cells }: PlayedObject, zone: PolygonIndex): ZoneShare {
    const { grid } = this.#zones;
    const now = zone.contains(state.x, state.y, grid.cellAt(state.x, state.y));
    const steps = Math.min(this.#horizon + HOLD - 1, paths.steps);
    const cellOf = cells(grid);
    let [enter, leave, played] = [0, 0, 0];
    for (let i = 0; i < paths.n; i += this.#stride) {
      const changes = countChanges(paths, i, steps, now, zone, cellOf);
      if (changes > (now ? 1 : 0)) enter += 1;
      if (changes > (now ? 0 : 1)) leave += 1;
      played += 1;
    }
    this.tests += played * steps;
    return { enter: enter / played, leave: leave / played };
  }
}

/** Changes of a path between inside and outside that last 0.2 s or more. */
function countChanges(
  paths: Paths,
  i: number,
  steps: number,
  now: boolean,
  zone: PolygonIndex,
  cells: Uint16Array,
): number {
  let [value, other, changes] = [now, 0, 0];
  const first = i * paths.steps;
  for (let j = first; j < first + steps; j++) {
    const inside = zone.contains(paths.x[j] ?? 0, paths.y[j] ?? 0, cells[j] ?? 0);
    other = inside === value ? 0 : other + 1;
    if (other < HOLD) continue;
    changes += 1;
    [value, other] = [!value, 0];
  }
  return changes;
}

/** The paths of one object with what all zones share. */
class PlayedObject {
  readonly state: TrackState;
  readonly paths: Paths;
  /** Positions that playing one zone compares. */
  readonly positions: number;
  readonly #bounds: readonly [left: number, top: number, right: number, bottom: number];
  readonly #shares = new Map<string, ZoneShare>();
  #cells: Uint16Array | undefined;

  constructor({ state, paths }: Played, horizon: number) {
    this.state = state;
    this.paths = paths;
    this.positions = paths.n * Math.min(horizon + HOLD - 1, paths.steps);
    let [left, right, top, bottom] = [state.x, state.x, state.y, state.y];
    for (let j = 0; j < paths.n * paths.steps; j++) {
      const [x, y] = [paths.x[j] ?? 0, paths.y[j] ?? 0];
      if (x < left) left = x;
      else if (x > right) right = x;
      if (y < top) top = y;
      else if (y > bottom) bottom = y;
    }
    this.#bounds = [left, top, right, bottom];
  }

  /** False where no path can touch the zone. */
  comesNear(zone: PolygonIndex): boolean {
    const [left, top, right, bottom] = this.#bounds;
    const [x0, y0, x1, y1] = zone.bounds;
    return right >= x0 && left <= x1 && bottom >= y0 && top <= y1;
  }

  /** Cells of all positions of the paths, computed once for all zones. */
  readonly cells = (grid: ZoneIndex['grid']): Uint16Array => {
    this.#cells ??= Uint16Array.from({ length: this.paths.n * this.paths.steps }, (_, j) =>
      grid.cellAt(this.paths.x[j] ?? 0, this.paths.y[j] ?? 0),
    );
    return this.#cells;
  };

  shareOf(zone: string, play: () => ZoneShare): ZoneShare {
    const known = this.#shares.get(zone);
    if (known) return known;
    const share = play();
    this.#shares.set(zone, share);
    return share;
  }
}
