import type { JsonValue } from "@bufbuild/protobuf";
import type { Item } from "./documents.ts";

/** What an item names comes before it: a certificate after its team and its targets. */
export function inDependencyOrder(items: readonly Item[]): Item[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const ordered = new Set<Item>();
  const visit = (item: Item, path: ReadonlySet<Item>) => {
    // Two that name each other cannot both be second.
    if (ordered.has(item) || path.has(item)) return;
    for (const id of references(item.fields)) {
      const other = byId.get(id);
      if (other) visit(other, new Set([...path, item]));
    }
    ordered.add(item);
  };
  for (const item of items) visit(item, new Set());
  return [...ordered];
}

/** The ids that fields like `team_id` and `target_ids` hold, at any depth. */
function references(json: JsonValue, key = ""): string[] {
  if (typeof json === "string") return /_ids?$/.test(key) ? [json] : [];
  if (Array.isArray(json)) return json.flatMap((each) => references(each, key));
  if (typeof json !== "object" || json === null) return [];
  return Object.entries(json).flatMap(([name, value]) => references(value, name));
}
