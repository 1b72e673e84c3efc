import { linearSumAssignment } from 'linear-sum-assignment';

/** Similarity of row and column, > 0; 0 or less when they must not be joined. */
export type Similarity<R, C> = (row: R, column: C) => number;

export interface Association<R, C> {
  readonly pairs: readonly (readonly [row: R, column: C])[];
  readonly rows: readonly R[];
  readonly columns: readonly C[];
}

/** The pairs of which neither side could be joined to another element. */
export function unambiguous<R, C>(
  rows: readonly R[],
  columns: readonly C[],
  similarity: Similarity<R, C>,
): readonly (readonly [row: R, column: C])[] {
  const pairs = rows.flatMap((row) =>
    columns.filter((column) => similarity(row, column) > 0).map((column) => [row, column] as const),
  );
  const ofRow = new Map<R, number>();
  const ofColumn = new Map<C, number>();
  for (const [row, column] of pairs) {
    ofRow.set(row, (ofRow.get(row) ?? 0) + 1);
    ofColumn.set(column, (ofColumn.get(column) ?? 0) + 1);
  }
  return pairs.filter(([row, column]) => ofRow.get(row) === 1 && ofColumn.get(column) === 1);
}

/** Possible positions of pairs on one axis: a column outside a row's reach has no similarity to it. */
export interface Reach<R, C> {
  /** Lowest and highest position to which the row may be joined. */
  readonly of: (row: R) => readonly [low: number, high: number];
  readonly at: (column: C) => number;
}

interface Edge {
  readonly row: number;
  readonly column: number;
  readonly similarity: number;
}

/**
 * The one-to-one assignment with the maximum sum of similarities (Jonker-Volgenant). Only allowed pairs are edges,
 * and each connected group of them is solved separately: the cost grows with the crowding, not with the square of the
 * view.
 */
export function associate<R, C>(
  rows: readonly R[],
  columns: readonly C[],
  similarity: Similarity<R, C>,
  reach?: Reach<R, C>,
): Association<R, C> {
  const edges: Edge[] = [];
  const near = reach && columnsNear(columns, reach);
  const all = columns.map((_, column) => column);
  rows.forEach((r, row) => {
    for (const column of near?.(r) ?? all) {
      const value = similarity(r, columns[column] as C);
      if (value > 0) edges.push({ row, column, similarity: value });
    }
  });
  const partner = new Int32Array(rows.length).fill(-1);
  for (const group of groups(edges, rows.length, columns.length)) {
    for (const { row, column } of solve(group)) partner[row] = column;
  }
  const taken = new Set(partner);
  const pairs: [R, C][] = [];
  rows.forEach((r, row) => {
    const column = partner[row] ?? -1;
    if (column >= 0) pairs.push([r, columns[column] as C]);
  });
  return {
    pairs,
    rows: rows.filter((_, row) => partner[row] === -1),
    columns: columns.filter((_, column) => !taken.has(column)),
  };
}

/** The indices of the columns within a row's reach, in their order. */
function columnsNear<R, C>(columns: readonly C[], reach: Reach<R, C>): (row: R) => readonly number[] {
  const order = columns.map((column, index) => ({ index, at: reach.at(column) })).sort((a, b) => a.at - b.at);
  const firstFrom = (low: number): number => {
    let [from, to] = [0, order.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((order[middle]?.at ?? Infinity) < low) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return (row) => {
    const [low, high] = reach.of(row);
    const found: number[] = [];
    for (let k = firstFrom(low); k < order.length; k += 1) {
      const { index, at } = order[k] as { index: number; at: number };
      if (at > high) break;
      found.push(index);
    }
    return found.sort((a, b) => a - b);
  };
}

/** Connected components of the bipartite graph, in order of their first edge (union-find). */
function groups(edges: readonly Edge[], rows: number, columns: number): Edge[][] {
  const parent = Int32Array.from({ length: rows + columns }, (_, k) => k);
  const root = (k: number): number => {
    let top = k;
    while (parent[top] !== top) top = parent[top] = parent[parent[top] as number] as number;
    return top;
  };
  for (const { row, column } of edges) parent[root(row)] = root(rows + column);
  const found = new Map<number, Edge[]>();
  for (const edge of edges) {
    const key = root(edge.row);
    const group = found.get(key);
    if (group) group.push(edge);
    else found.set(key, [edge]);
  }
  return [...found.values()];
}

function solve(group: readonly Edge[]): readonly Edge[] {
  if (group.length === 1) return group;
  const rowOf = numbered(group.map((edge) => edge.row));
  const columnOf = numbered(group.map((edge) => edge.column));
  const matrix = Array.from({ length: rowOf.size }, () => new Float64Array(columnOf.size));
  for (const { row, column, similarity } of group) {
    (matrix[rowOf.get(row) as number] as Float64Array)[columnOf.get(column) as number] = similarity;
  }
  const { rowAssignments } = linearSumAssignment(matrix, { maximaze: true });
  return group.filter(({ row, column }) => rowAssignments[rowOf.get(row) as number] === columnOf.get(column));
}

/** Distinct values → 0, 1, 2… in order of first occurrence. */
function numbered(values: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const value of values) if (!found.has(value)) found.set(value, found.size);
  return found;
}
