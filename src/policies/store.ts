import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { checkOf, type Rule } from "./evaluate.ts";
import type { CertificateFacts } from "./rule-type.ts";

/** Rules that are in force. */
export async function liveRules(db: Database | Transaction): Promise<Rule[]> {
  const rows = await db.policyRule.findMany({
    where: { enabled: true, archivedAt: null },
    orderBy: { id: "asc" },
  });
  return rows.map(({ id, name, type, config, severity, mode }) => ({
    id,
    name,
    severity: severity as Rule["severity"],
    mode: mode as Rule["mode"],
    check: checkOf(type, config),
  }));
}

/** A violation that holds. */
export interface OpenViolation {
  id: string;
  ruleId: string;
  certificateId: string;
  severity: string;
  message: string;
}

export async function openViolations(
  db: Database | Transaction,
  certificateIds: readonly string[],
): Promise<OpenViolation[]> {
  return db.policyViolation.findMany({
    where: { certificateId: { in: [...certificateIds] }, closedAt: null },
    select: { id: true, ruleId: true, certificateId: true, severity: true, message: true },
  });
}

/** What rules look at of one live certificate. */
export async function findFacts(
  db: Database | Transaction,
  certificateId: string,
): Promise<CertificateFacts | null> {
  const [facts] = await db.$queryRaw<CertificateFacts[]>`
    ${factsOf} WHERE c.archived_at IS NULL AND c.id = ${certificateId}`;
  return facts ?? null;
}

/** What rules look at of the live certificates after one, by id. */
export async function factsAfter(db: Database, after: string, most: number): Promise<CertificateFacts[]> {
  return db.$queryRaw<CertificateFacts[]>`
    ${factsOf} WHERE c.archived_at IS NULL AND c.id > ${after} ORDER BY c.id LIMIT ${most}`;
}

const factsOf = Prisma.sql`
  SELECT c.id, c.name, c.common_name AS "commonName", c.sans, c.issuer_id AS "issuerId", c.environment,
    c.owner_id AS "ownerId", c.team_id AS "teamId", c.tags, c.validity_seconds AS "validitySeconds",
    policy.auto_renew AS "autoRenew", policy.renewal_window_days AS "renewalWindowDays",
    current.not_before AS "notBefore", current.not_after AS "notAfter"
  FROM managed_certificates c
  JOIN renewal_policies policy ON policy.id = c.renewal_policy_id
  LEFT JOIN current_versions current ON current.certificate_id = c.id`;
