import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type ActorType, ActorTypeSchema } from "#gen/certctl/v1/audit_pb.ts";
import { wordsOf } from "../../../../src/platform/words.ts";
import { count, list, text, type Values } from "../../url/search.ts";

export const actorTypeWords = wordsOf(ActorTypeSchema);
/** The words of every type that there is. */
export const actorTypes: readonly string[] = ActorTypeSchema.values
  .map(({ number }) => actorTypeWords.text(number as ActorType))
  .filter(Boolean);

/** What the URL of the audit says. Times are moments, or lengths back from now: "-24h". */
export const auditParameters = {
  from: text(),
  to: text(),
  actor: text(),
  type: list,
  action: list,
  resource: text(),
  target: text(),
  request: text(),
  page: count(1),
  peek: text(),
};

export type AuditValues = Values<typeof auditParameters>;

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The moment that a parameter names; undefined for none. */
export function momentOf(value: string, now: Date): Date | undefined {
  const [, length, unit] = /^-(\d{1,5})([mhd])$/.exec(value) ?? [];
  if (length !== undefined)
    return new Date(now.getTime() - Number(length) * unitMs[unit as keyof typeof unitMs]);
  const date = new Date(value);
  return value === "" || Number.isNaN(date.getTime()) ? undefined : date;
}

/** The filter of the list and of the export: what is saved is what is seen. */
export function filterOf(values: AuditValues, now: Date) {
  const [from, to] = [momentOf(values.from, now), momentOf(values.to, now)];
  return {
    actor: values.actor,
    actorType: values.type.filter((word) => actorTypes.includes(word)).map(actorTypeWords.value),
    action: [...values.action],
    resourceType: values.resource,
    resourceId: values.target,
    requestId: values.request,
    ...(from ? { from: timestampFromDate(from) } : {}),
    ...(to ? { to: timestampFromDate(to) } : {}),
  };
}

export function isFiltered({ page: _, peek: __, ...filters }: AuditValues): boolean {
  return Object.values(filters).some((value) => value.length > 0);
}

export const noFilter = {
  from: "",
  to: "",
  actor: "",
  type: [],
  action: [],
  resource: "",
  target: "",
  request: "",
  page: 1,
} satisfies Partial<AuditValues>;
