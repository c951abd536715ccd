import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type CertificateFilterSchema,
  CertificateScheduleSchema,
  CertificateStatusSchema,
  ExpiryBucketSchema,
  KeyAlgorithmSchema,
  type ListCertificateFacetsResponse,
} from "#gen/certctl/v1/certificates_pb.ts";
import { valuesOfWords } from "../../status/words.ts";
import { count, flag, list, text, type Values } from "../../url/search.ts";

/** What the URL of the list says. "-" in a list stands for those without: `owner=-`. */
export const listParameters = {
  q: text(),
  status: list,
  schedule: list,
  expiry: list,
  issuer: list,
  owner: list,
  team: list,
  environment: list,
  key: list,
  policy: list,
  tag: list,
  agent: list,
  target: list,
  ca: list,
  /** Those with a problem alone. */
  problems: flag,
  archived: flag,
  sort: text("attention"),
  page: count(1),
  cols: list,
  view: text(),
  /** The form for a new one is open. */
  new: flag,
};

export type ListValues = Values<typeof listParameters>;

/** Lists that narrow the list. */
export type FacetName = Exclude<
  keyof ListValues,
  "q" | "problems" | "archived" | "sort" | "page" | "cols" | "view" | "new"
>;

interface Facet {
  label: string;
  /** Where its counts lie; those without are chosen by a link from elsewhere alone. */
  counts?: Exclude<keyof ListCertificateFacetsResponse, "$typeName" | "$unknown" | "total">;
}

export const facets: Readonly<Record<FacetName, Facet>> = {
  status: { label: "Status", counts: "status" },
  schedule: { label: "Plan", counts: "schedule" },
  expiry: { label: "Expires within", counts: "expiry" },
  issuer: { label: "Issuer", counts: "issuer" },
  owner: { label: "Owner", counts: "owner" },
  team: { label: "Team", counts: "team" },
  environment: { label: "Environment", counts: "environment" },
  key: { label: "Key", counts: "keyAlgorithm" },
  policy: { label: "Renewal policy", counts: "renewalPolicy" },
  tag: { label: "Tag", counts: "tag" },
  agent: { label: "Agent" },
  target: { label: "Target" },
  ca: { label: "Issuing CA" },
};

export const facetNames = Object.keys(facets) as FacetName[];

export const without = "-";

/** The filter as the API takes it; the same for the list, the counts, the export and operations. */
export function filterOf(values: ListValues) {
  return {
    q: values.q,
    status: valuesOfWords(CertificateStatusSchema, values.status),
    schedule: valuesOfWords(CertificateScheduleSchema, values.schedule),
    expiry: valuesOfWords(ExpiryBucketSchema, values.expiry),
    issuerIds: [...values.issuer],
    ownerIds: orWithout(values.owner),
    teamIds: orWithout(values.team),
    environments: orWithout(values.environment),
    keyAlgorithm: valuesOfWords(KeyAlgorithmSchema, values.key),
    renewalPolicyIds: [...values.policy],
    tag: [...values.tag],
    agentIds: [...values.agent],
    targetIds: [...values.target],
    issuingCa: orWithout(values.ca),
    problems: values.problems,
  } satisfies MessageInitShape<typeof CertificateFilterSchema>;
}

function orWithout(values: readonly string[]): string[] {
  return values.map((value) => (value === without ? "" : value));
}

/** Whether anything narrows the list. */
export function isFiltered(values: ListValues): boolean {
  return (
    values.q !== "" ||
    values.problems ||
    values.archived ||
    facetNames.some((name) => values[name].length > 0)
  );
}

/** All filters as they are when nothing is chosen. */
export const noFilter: Partial<ListValues> = {
  q: "",
  problems: false,
  archived: false,
  view: "",
  ...Object.fromEntries(facetNames.map((name) => [name, []])),
};
