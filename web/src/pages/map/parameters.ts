import {
  type GetTrustMapResponse,
  TrustMapGrouping,
  TrustMapLayer,
  TrustMapLayerSchema,
  type TrustMapNode,
} from "#gen/certctl/v1/trust_map_pb.ts";
import { wordOfValue } from "../../status/words.ts";
import { choice, text, type Values } from "../../url/search.ts";

export type TrustMap = NonNullable<GetTrustMapResponse["trustMap"]>;

/** What the URL of the page says. */
export const mapParameters = {
  /** What the map is of: "issuer:iss-local". */
  root: text(),
  /** A node of it that is looked at. */
  pick: text(),
  group: choice(["team", "environment"], "team"),
  only: choice(["all", "problems"], "all"),
};

export type MapValues = Values<typeof mapParameters>;

export function mapRequest({ root, group, only }: MapValues) {
  return {
    root,
    group: group === "environment" ? TrustMapGrouping.ENVIRONMENT : TrustMapGrouping.TEAM,
    onlyProblems: only === "problems",
  };
}

interface LayerWords {
  one: string;
  many: string;
  /** What stands for those without. */
  none: string;
}

/** For what only a newer control plane knows. */
const unknown: LayerWords = { one: "Node", many: "Nodes", none: "None" };

const layers: Readonly<Partial<Record<TrustMapLayer, LayerWords>>> = {
  [TrustMapLayer.ISSUER]: { one: "Issuer", many: "Issuers", none: "No issuer" },
  [TrustMapLayer.ISSUING_CA]: { one: "Signing CA", many: "Signing CAs", none: "Nothing issued" },
  [TrustMapLayer.TEAM]: { one: "Team", many: "Teams", none: "No team" },
  [TrustMapLayer.ENVIRONMENT]: { one: "Environment", many: "Environments", none: "No environment" },
  [TrustMapLayer.AGENT]: { one: "Agent", many: "Agents", none: "No agent" },
  [TrustMapLayer.TARGET]: { one: "Target", many: "Targets", none: "No target" },
  [TrustMapLayer.OWNER]: { one: "Owner", many: "Owners", none: "No owner" },
};

export function layerWords(layer: TrustMapLayer): LayerWords {
  return layers[layer] ?? unknown;
}

export function nodeName({ layer, value, name }: TrustMapNode): string {
  return value === "" ? layerWords(layer).none : name || value;
}

const listFields: Readonly<Record<string, string>> = {
  issuer: "issuer",
  issuing_ca: "ca",
  team: "team",
  environment: "environment",
  agent: "agent",
  target: "target",
  owner: "owner",
  key_algorithm: "key",
};

/** The address of the list of what a root, and a node within it, choose. */
export function listSearch(
  { root, only }: Pick<MapValues, "root" | "only">,
  node: TrustMapNode | undefined,
): Record<string, string> {
  const search: Record<string, string> = only === "problems" ? { problems: "1" } : {};
  const put = (kind: string, value: string) => {
    const field = listFields[kind];
    if (field) search[field] = value || "-";
  };
  if (root !== "") put(root.slice(0, root.indexOf(":")), root.slice(root.indexOf(":") + 1));
  if (node) put(wordOfValue(TrustMapLayerSchema, node.layer), node.value);
  return search;
}
