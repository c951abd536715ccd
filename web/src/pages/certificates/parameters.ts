import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type CertificateFilterSchema,
  CertificateScheduleSchema,
  CertificateStatusSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { valuesOfWords } from "../../status/words.ts";
import { count, flag, list, text, type Values } from "../../url/search.ts";

/** What the URL of the list says. */
export const listParameters = {
  q: text(),
  status: list,
  schedule: list,
  issuer: text(),
  owner: text(),
  team: text(),
  environment: text(),
  policy: text(),
  agent: text(),
  target: text(),
  tag: list,
  /** "7d", "24h": ends within; relative, so that a shared link stays true. */
  expires: text(),
  archived: flag,
  sort: text("expires_at"),
  page: count(1),
  cols: list,
};

export type ListValues = Values<typeof listParameters>;
export type FilterName = Exclude<keyof ListValues, "sort" | "page" | "cols">;

/** What each filter is called. */
export const filterLabels: Readonly<Record<FilterName, string>> = {
  q: "Name",
  status: "Status",
  schedule: "Plan",
  issuer: "Issuer",
  owner: "Owner",
  team: "Team",
  environment: "Environment",
  policy: "Renewal policy",
  agent: "Agent",
  target: "Target",
  tag: "Tag",
  expires: "Expires within",
  archived: "Archived",
};

export const filterNames = Object.keys(filterLabels) as FilterName[];

/** The filter as the API takes it; the same for the list, the counts, the export and operations. */
export function filterOf(values: ListValues, now: Date) {
  const within = lengthMs(values.expires);
  return {
    q: values.q,
    status: valuesOfWords(CertificateStatusSchema, values.status),
    schedule: valuesOfWords(CertificateScheduleSchema, values.schedule),
    issuerId: values.issuer,
    ownerId: values.owner,
    teamId: values.team,
    environment: values.environment,
    renewalPolicyId: values.policy,
    agentId: values.agent,
    targetId: values.target,
    tag: [...values.tag],
    ...(within !== undefined && { expiresBefore: timestampFromDate(new Date(now.getTime() + within)) }),
  } satisfies MessageInitShape<typeof CertificateFilterSchema>;
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

function lengthMs(value: string): number | undefined {
  const [, number, unit] = /^(\d{1,4})([hd])$/.exec(value) ?? [];
  const size = unitMs[unit ?? ""];
  return size === undefined ? undefined : Number(number) * size;
}

/** Whether anything narrows the list. */
export function isFiltered(values: ListValues): boolean {
  return filterNames.some((name) => isGiven(values[name]));
}

export function isGiven(value: ListValues[FilterName]): boolean {
  return typeof value === "object" ? value.length > 0 : value !== "" && value !== false;
}

/** All filters as they are when nothing is chosen. */
export const noFilter: Partial<ListValues> = Object.fromEntries(
  filterNames.map((name) => [name, listParameters[name].read(undefined)]),
);
