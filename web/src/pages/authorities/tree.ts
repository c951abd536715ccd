import type { Authority } from "#gen/certctl/v1/authorities_pb.ts";

/** A CA with how deep it lies below its root. */
export interface TreeRow {
  authority: Authority;
  depth: number;
}

/** Each root with what is below it, one under the other; the order among equals stays. */
export function treeOf(authorities: readonly Authority[]): TreeRow[] {
  const ids = new Set(authorities.map(({ id }) => id));
  const below = (parentId: string, depth: number): TreeRow[] =>
    authorities
      .filter((each) => (ids.has(each.parentId) ? each.parentId : "") === parentId)
      .flatMap((authority) => [{ authority, depth }, ...below(authority.id, depth + 1)]);
  return below("", 0);
}
