/** A run of marked pixels in one row, columns `from` ≤ x < `to`. */
export interface Run {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** A connected set of marked pixels. Edges in px: `left` ≤ x < `right`, `top` ≤ y < `bottom`. */
export interface Component {
  readonly area: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Row by row. */
  readonly runs: readonly Run[];
}

/** Sets each pixel whose 3 × 3 neighbourhood has at least 5 marks, which removes specks and pinholes. */
export function majority(
  marks: Uint8Array,
  mark: number,
  width: number,
  height: number,
  out: Uint8Array,
): void {
  out.fill(0);
  for (let row = 1; row < height - 1; row += 1) {
    let k = row * width + 1;
    let left = column(marks, mark, k - 1, width);
    let middle = column(marks, mark, k, width);
    for (let x = 1; x < width - 1; x += 1, k += 1) {
      const right = column(marks, mark, k + 1, width);
      if (left + middle + right >= 5) out[k] = 1;
      left = middle;
      middle = right;
    }
  }
  spreadToBorder(marks, mark, width, height, out);
}

function column(marks: Uint8Array, mark: number, k: number, width: number): number {
  return (
    (marks[k - width] === mark ? 1 : 0) + (marks[k] === mark ? 1 : 0) + (marks[k + width] === mark ? 1 : 0)
  );
}

/** Copies the result of the adjacent pixel to marked border pixels, which have no full neighbourhood. */
function spreadToBorder(
  marks: Uint8Array,
  mark: number,
  width: number,
  height: number,
  out: Uint8Array,
): void {
  for (let row = 1; row < height - 1; row += 1) {
    const first = row * width;
    const last = first + width - 1;
    if (marks[first] === mark) out[first] = out[first + 1] as number;
    if (marks[last] === mark) out[last] = out[last - 1] as number;
  }
  const end = (height - 1) * width;
  for (let x = 0; x < width; x += 1) {
    if (marks[x] === mark) out[x] = out[x + width] as number;
    if (marks[end + x] === mark) out[end + x] = out[end + x - width] as number;
  }
}

/** Sets every pixel with a set pixel in its 3 × 3 neighbourhood, in place; overwrites `scratch`. */
export function dilate(marks: Uint8Array, width: number, height: number, scratch: Uint8Array): void {
  scratch.set(marks);
  for (let row = 0; row < height; row += 1) {
    const start = row * width;
    for (let x = 0; x < width; x += 1) {
      if (scratch[start + x] === 0) continue;
      for (let dy = row > 0 ? -1 : 0; dy <= (row < height - 1 ? 1 : 0); dy += 1) {
        const at = start + x + dy * width;
        if (x > 0) marks[at - 1] = 1;
        marks[at] = 1;
        if (x < width - 1) marks[at + 1] = 1;
      }
    }
  }
}

/**
 * Finds connected components (8 neighbours) of the pixels that are not 0, by runs and union-find, in the order of their
 * first pixels.
 *
 * @param minArea smaller components are omitted, px
 */
export function findComponents(
  marks: Uint8Array,
  width: number,
  height: number,
  minArea: number,
): Component[] {
  const runs: Run[] = [];
  const parent: number[] = [];
  const root = (k: number): number => {
    let top = k;
    while (parent[top] !== top) top = parent[top] = parent[parent[top] as number] as number;
    return top;
  };
  let above = 0;
  for (let row = 0; row < height; row += 1) {
    const first = runs.length;
    const end = (row + 1) * width;
    for (let k = row * width; k < end; k += 1) {
      if (marks[k] === 0) continue;
      const from = k;
      while (k < end && marks[k] !== 0) k += 1;
      parent.push(runs.length);
      runs.push({ row, from: from - row * width, to: k - row * width });
    }
    for (let a = above, b = first; a < first && b < runs.length;) {
      const [up, down] = [runs[a] as Run, runs[b] as Run];
      if (up.from <= down.to && down.from <= up.to) {
        const [one, other] = [root(a), root(b)];
        parent[Math.max(one, other)] = Math.min(one, other);
      }
      if (up.to < down.to) a += 1;
      else b += 1;
    }
    above = first;
  }
  const groups = new Map<number, Run[]>();
  runs.forEach((run, k) => {
    const top = root(k);
    const group = groups.get(top);
    if (group) group.push(run);
    else groups.set(top, [run]);
  });
  return [...groups.values()].map(toComponent).filter(({ area }) => area >= minArea);
}

/** @param runs at least one */
export function toComponent(runs: readonly Run[]): Component {
  let [area, left, right, top, bottom] = [0, Infinity, 0, Infinity, 0];
  for (const { row, from, to } of runs) {
    area += to - from;
    left = Math.min(left, from);
    right = Math.max(right, to);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row + 1);
  }
  return { area, left, top, right, bottom, runs };
}
