import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";
import { namedResource } from "../resources/named.ts";

export interface RuleView {
  id: string;
  name: string;
  type: string;
  config: unknown;
  severity: string;
  mode: string;
  enabled: boolean;
  openViolations: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

export interface RuleFilter {
  archived: boolean;
  q: string;
  type: string;
  enabled?: boolean | undefined;
  modes: string[];
  severities: string[];
}

export interface ViolationView {
  id: string;
  ruleId: string;
  ruleName: string;
  certificateId: string;
  certificateName: string;
  severity: string;
  message: string;
  openedAt: Date;
  closedAt: Date | null;
}

export interface ViolationFilter {
  ruleId: string;
  certificateId: string;
  severities: string[];
  open?: boolean | undefined;
  q: string;
}

const rules = namedResource<RuleView>(
  Prisma.sql`
    SELECT r.id, r.name, r.type, r.config, r.severity, r.mode, r.enabled, r.created_at AS "createdAt",
      r.updated_at AS "updatedAt", r.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM policy_violations v WHERE v.rule_id = r.id AND v.closed_at IS NULL) AS "openViolations"
    FROM policy_rules r`,
  { columns: { type: { sql: Prisma.sql`type`, type: "text" } } },
);

const violations: ListShape = {
  view: Prisma.sql`
    SELECT v.id, v.rule_id AS "ruleId", r.name AS "ruleName", v.certificate_id AS "certificateId",
      c.name AS "certificateName", v.severity, v.message, v.opened_at AS "openedAt", v.closed_at AS "closedAt"
    FROM policy_violations v JOIN policy_rules r ON r.id = v.rule_id
    JOIN managed_certificates c ON c.id = v.certificate_id`,
  columns: {
    opened_at: { sql: Prisma.sql`"openedAt"`, type: "timestamptz" },
    // By how bad it is, not by the alphabet.
    severity: {
      sql: Prisma.sql`array_position(ARRAY['Warning', 'Error', 'Critical'], severity)::bigint`,
      type: "bigint",
    },
  },
  defaultSort: "-opened_at",
};

export const findRule = rules.find;

export function listRules(
  db: Database,
  request: ListRequest,
  { archived, q, type, enabled, modes, severities }: RuleFilter,
): Promise<ListedPage<RuleView>> {
  return rules.list(db, { ...request, archived, q }, [
    ...(type ? [Prisma.sql`type = ${type}`] : []),
    ...(enabled === undefined ? [] : [Prisma.sql`enabled = ${enabled}`]),
    ...(modes.length > 0 ? [Prisma.sql`mode = ANY(${modes}::text[])`] : []),
    ...(severities.length > 0 ? [Prisma.sql`severity = ANY(${severities}::text[])`] : []),
  ]);
}

export async function listViolations(
  db: Database,
  grants: Grants,
  request: ListRequest,
  { ruleId, certificateId, severities, open, q }: ViolationFilter,
): Promise<ListedPage<ViolationView>> {
  return listPage<ViolationView>(db, violations, request, [
    grantedCertificate(grants, Prisma.sql`items."certificateId"`),
    ...(ruleId ? [Prisma.sql`"ruleId" = ${ruleId}`] : []),
    ...(certificateId ? [Prisma.sql`"certificateId" = ${certificateId}`] : []),
    ...(severities.length > 0 ? [Prisma.sql`severity = ANY(${severities}::text[])`] : []),
    ...(open === undefined ? [] : [Prisma.sql`("closedAt" IS NULL) = ${open}`]),
    ...(q ? [contains(q, [Prisma.sql`message`, Prisma.sql`"certificateName"`])] : []),
  ]);
}
