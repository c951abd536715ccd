import { create } from "@bufbuild/protobuf";
import {
  type CertificateFilter,
  CertificateFilterSchema,
  KeyAlgorithmSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { keyAlgorithmWords } from "../certificates/filter-message.ts";
import { invalid } from "../platform/errors.ts";
import { wordOf } from "../platform/words.ts";

type ListField =
  | "issuerIds"
  | "issuingCa"
  | "teamIds"
  | "environments"
  | "agentIds"
  | "targetIds"
  | "ownerIds";

/** The field of a filter by which each kind of node is chosen. */
export const filterFields: Readonly<Record<string, ListField>> = {
  issuer: "issuerIds",
  issuing_ca: "issuingCa",
  team: "teamIds",
  environment: "environments",
  agent: "agentIds",
  target: "targetIds",
  owner: "ownerIds",
};

const kinds = [...Object.keys(filterFields), "key_algorithm"];

/** What a root chooses: "team:t-web". Throws InvalidArgument for one that names nothing of the map. */
export function rootFilter(root: string, onlyProblems: boolean): { kind: string; filter: CertificateFilter } {
  const filter = create(CertificateFilterSchema, { problems: onlyProblems });
  if (root === "") return { kind: "", filter };
  const at = root.indexOf(":");
  const [kind, value] = [root.slice(0, Math.max(at, 0)), root.slice(at + 1)];
  const field = filterFields[kind];
  if (field) return { kind, filter: { ...filter, [field]: [value] } };
  if (kind !== "key_algorithm") {
    const description = `must be one of ${kinds.join(", ")}, a colon, and what it is of that`;
    throw invalid({ field: "root", description });
  }
  const known = KeyAlgorithmSchema.values.map((each) =>
    each.number === 0 ? "" : wordOf(each, KeyAlgorithmSchema),
  );
  if (value === "" || !known.includes(value)) {
    const words = known.filter((word) => word !== "").join(", ");
    throw invalid({ field: "root", description: `key_algorithm must be one of ${words}` });
  }
  return { kind, filter: { ...filter, keyAlgorithm: [keyAlgorithmWords.value(value)] } };
}

/** What a node chooses within the selection; undefined: no filter can say it. */
export function nodeFilter(
  selection: CertificateFilter,
  { layer, value }: { layer: string; value: string },
): CertificateFilter | undefined {
  const field = filterFields[layer];
  if (!field || (value === "" && (field === "agentIds" || field === "targetIds"))) return undefined;
  const known = selection[field];
  // Of several agents or targets a filter chooses those at any of them.
  if (known.length > 0 && !(known.length === 1 && known[0] === value)) return undefined;
  return { ...selection, [field]: [value] };
}
