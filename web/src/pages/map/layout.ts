import type { TrustMap } from "./parameters.ts";

export const rowPx = 40;
export const headPx = 28;
export const gapPx = 56;
/** Below this width the columns stand one below the other. */
export const leastColumnPx = 190;

/** Where the ends of each node lie: every row is as high as the next, so nothing has to be measured. */
export interface Places {
  height: number;
  nodes: ReadonlyMap<string, { left: number; right: number; y: number }>;
}

export function place({ layers, nodes }: TrustMap, width: number): Places {
  const columns = Math.max(1, layers.length);
  const column = (width - (columns - 1) * gapPx) / columns;
  const placed = layers.flatMap(({ layer }, index) =>
    nodes
      .filter((node) => node.layer === layer)
      .map(({ id }, row) => {
        const left = index * (column + gapPx);
        return [id, { left, right: left + column, y: headPx + (row + 0.5) * rowPx }] as const;
      }),
  );
  const most = Math.max(0, ...layers.map(({ shown }) => shown));
  return { height: headPx + most * rowPx, nodes: new Map(placed) };
}

/** A curve from the right of one node to the left of another. */
export function edgePath({ nodes }: Places, from: string, to: string): string {
  const [start, end] = [nodes.get(from), nodes.get(to)];
  if (!start || !end) return "";
  const middle = (start.right + end.left) / 2;
  return `M${start.right},${start.y} C${middle},${start.y} ${middle},${end.y} ${end.left},${end.y}`;
}
