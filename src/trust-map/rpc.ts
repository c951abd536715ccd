import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  TrustMapGroupingSchema,
  TrustMapLayerSchema,
  TrustMapSchema,
  type TrustMapService,
} from "#gen/certctl/v1/trust_map_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { filterOf } from "../certificates/filter-message.ts";
import type { Database } from "../platform/database.ts";
import { wordsOf } from "../platform/words.ts";
import { countMap, layersOf, type MapCount } from "./counts.ts";
import { nameNodes } from "./names.ts";
import { nodeFilter, rootFilter } from "./selection.ts";

const layerWords = wordsOf(TrustMapLayerSchema);
const groupings = wordsOf(TrustMapGroupingSchema);

/** Nodes that one layer shows: of all five together no more than a reader takes in. */
const mostInLayer = 40;

export function trustMapService({
  db,
  clock,
}: {
  db: Database;
  clock: () => Date;
}): ServiceImpl<typeof TrustMapService> {
  return {
    async getTrustMap({ root, group, onlyProblems }, context) {
      const { kind, filter } = rootFilter(root, onlyProblems);
      const grouping = groupings.text(group) === "environment" ? "environment" : "team";
      const place = kind === "agent" || kind === "target" ? "target" : "agent";
      const { grants } = callerOf(context);
      const counts = await countMap(db, grants, filterOf(filter, false), { grouping, place }, clock());
      const nodes = counts.filter(({ layer, nextLayer }) => layer !== "" && nextLayer === null);
      const layers = layersOf(grouping, place).map((layer) => {
        const all = nodes.filter((node) => node.layer === layer);
        return { layer, all, shown: all.slice(0, mostInLayer) };
      });
      const shown = layers.flatMap((layer) => layer.shown);
      const names = await nameNodes(db, shown);
      const ids = new Set(shown.map(idOf));
      const whole = counts.find(({ layer }) => layer === "");
      const trustMap = create(TrustMapSchema, {
        nodes: shown.map((node) => {
          const own = nodeFilter(filter, node);
          return {
            id: idOf(node),
            layer: layerWords.value(node.layer),
            value: node.value,
            name: names.get(idOf(node)) ?? node.value,
            certificates: node.certificates,
            problems: node.problems,
            ...(own ? { filter: own } : {}),
          };
        }),
        edges: edgesOf(counts).filter(({ from, to }) => ids.has(from) && ids.has(to)),
        layers: layers.map(({ layer, all, shown: some }) => ({
          layer: layerWords.value(layer),
          total: all.length,
          shown: some.length,
        })),
        truncated: layers.some(({ all }) => all.length > mostInLayer),
        certificates: whole?.certificates ?? 0,
        problems: whole?.problems ?? 0,
        filter,
      });
      return { trustMap };
    },
  };
}

const idOf = ({ layer, value }: { layer: string; value: string }) => `${layer}:${value}`;

function edgesOf(counts: readonly MapCount[]) {
  return counts.flatMap(({ layer, value, nextLayer, nextValue, certificates }) =>
    nextLayer === null || nextValue === null
      ? []
      : [
          {
            from: idOf({ layer, value }),
            to: idOf({ layer: nextLayer, value: nextValue }),
            certificates,
          },
        ],
  );
}
