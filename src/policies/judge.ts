import { recordAudit, system } from "../audit/record.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Transaction } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { evaluate, type Finding, type Rule } from "./evaluate.ts";
import { findFacts, liveRules, type OpenViolation, openViolations } from "./store.ts";

/**
 * Holds a certificate to the rules after it was written, in the write's own transaction: throws POLICY_VIOLATION where an
 * enforced rule refuses what was written, and records every other violation.
 */
export async function judgeWrite(tx: Transaction, certificateId: string, now: Date): Promise<void> {
  const findings = await find(tx, certificateId, now);
  refuseEnforced(findings);
  await record(tx, certificateId, findings, now);
}

/** Records what a certificate violates now and no longer does. */
export async function judge(tx: Transaction, certificateId: string, now: Date): Promise<void> {
  await record(tx, certificateId, await find(tx, certificateId, now), now);
}

/** The same for many. */
export async function judgeAll(tx: Transaction, certificateIds: readonly string[], now: Date): Promise<void> {
  const rules = await liveRules(tx);
  const open = rules.length > 0 ? [] : await openViolations(tx, certificateIds);
  const concerned = rules.length > 0 ? certificateIds : open.map(({ certificateId }) => certificateId);
  for (const id of new Set(concerned)) await judge(tx, id, now);
}

async function find(tx: Transaction, certificateId: string, now: Date): Promise<Finding[]> {
  const rules = await liveRules(tx);
  if (rules.length === 0) return [];
  // Whoever judges it at the same time waits, and finds what this one has written.
  await tx.$queryRaw`SELECT 1 FROM managed_certificates WHERE id = ${certificateId} FOR UPDATE`;
  const facts = await findFacts(tx, certificateId);
  return facts ? evaluate(rules, facts, now) : [];
}

/** Whether what is recorded of a certificate is what holds. */
export function isSettled(open: readonly OpenViolation[], findings: readonly Finding[]): boolean {
  return (
    open.length === findings.length &&
    findings.every(({ rule, message }) =>
      open.some((one) => one.ruleId === rule.id && one.severity === rule.severity && one.message === message),
    )
  );
}

/** What lies in the declaration is the caller's to mend; what time or the CA brought about refuses no write. */
function refuseEnforced(findings: readonly Finding[]): void {
  const refusals = findings
    .filter(({ rule }) => rule.mode === "enforce")
    .flatMap(({ rule, offences }) =>
      offences
        .filter(({ field }) => field !== "")
        .map(({ field, description }) => ({ rule, field, description })),
    );
  if (refusals.length === 0) return;
  const names = [...new Set(refusals.map(({ rule }) => `${rule.name} (${rule.id})`))];
  throw conflict(
    "POLICY_VIOLATION",
    `refused by the policy ${names.length === 1 ? "rule" : "rules"} ${names.join(", ")}`,
    refusals.map(({ rule, field, description }) => ({ field, description: `${rule.name}: ${description}` })),
  );
}

async function record(
  tx: Transaction,
  certificateId: string,
  findings: readonly Finding[],
  now: Date,
): Promise<void> {
  const open = await openViolations(tx, [certificateId]);
  for (const finding of findings) {
    const known = open.find(({ ruleId }) => ruleId === finding.rule.id);
    if (!known) await openViolation(tx, certificateId, finding, now);
    else await renew(tx, known, finding);
  }
  const ended = open.filter(({ ruleId }) => !findings.some(({ rule }) => rule.id === ruleId));
  for (const violation of ended) await close(tx, violation, now);
}

async function openViolation(
  tx: Transaction,
  certificateId: string,
  { rule, message }: Finding,
  now: Date,
): Promise<void> {
  const id = newId("pv");
  const data = { id, ruleId: rule.id, certificateId, severity: rule.severity, message, openedAt: now };
  const { count } = await tx.policyViolation.createMany({ data: [data], skipDuplicates: true });
  if (count === 0) return;
  await audit(tx, "policy_violation_opened", id, {
    rule_id: rule.id,
    certificate_id: certificateId,
    message,
  });
  await tell(tx, { ...data, ruleName: rule.name }, true, now);
}

/** The same violation for another reason, or taken for another severity. */
async function renew(tx: Transaction, known: OpenViolation, { rule, message }: Finding): Promise<void> {
  if (known.message === message && known.severity === rule.severity) return;
  await tx.policyViolation.update({ where: { id: known.id }, data: { message, severity: rule.severity } });
  await audit(tx, "policy_violation_changed", known.id, { message, severity: rule.severity });
}

async function close(tx: Transaction, violation: OpenViolation, now: Date): Promise<void> {
  const { id, ruleId, certificateId } = violation;
  const { count } = await tx.policyViolation.updateMany({
    where: { id, closedAt: null },
    data: { closedAt: now },
  });
  if (count === 0) return;
  await audit(tx, "policy_violation_closed", id, { rule_id: ruleId, certificate_id: certificateId });
  const { name } = await tx.policyRule.findUniqueOrThrow({ where: { id: ruleId }, select: { name: true } });
  await tell(tx, { ...violation, ruleName: name }, false, now);
}

async function tell(
  tx: Transaction,
  { certificateId, ruleId, ruleName, severity, message }: Omit<OpenViolation, "id"> & { ruleName: string },
  isOpen: boolean,
  now: Date,
): Promise<void> {
  const rule = { ruleId, ruleName, severity: severity as Rule["severity"] };
  await raiseEvent(tx, { type: "PolicyViolation", certificateId, ...rule, message, isOpen }, now);
}

async function audit(
  tx: Transaction,
  action: string,
  resourceId: string,
  details: Record<string, string>,
): Promise<void> {
  await recordAudit(tx, system, { action, resourceType: "policy_violation", resourceId, details });
}
