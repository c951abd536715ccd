import { type Actor, recordAudit } from "../audit/record.ts";
import { requireWithin } from "../auth/grants.ts";
import type { Transaction } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";
import { judgeWrite } from "../policies/judge.ts";
import { checkOwnership } from "./check-declaration.ts";
import { lockLive } from "./lock.ts";

/** What is to change about who answers for a certificate; undefined stays as it is, an empty text clears it. */
export interface Reassignment {
  ownerId: string | undefined;
  teamId: string | undefined;
  renewalPolicyId: string | undefined;
  environment: string | undefined;
}

/** Throws InvalidArgument when nothing is to change, or something does not exist. */
export async function checkReassignment(tx: Transaction, actor: Actor, changes: Reassignment): Promise<void> {
  if (Object.values(changes).every((value) => value === undefined)) {
    const description = "name at least one of owner_id, team_id, renewal_policy_id and environment";
    throw invalid({ field: "changes", description });
  }
  const { ownerId = "", teamId = "", renewalPolicyId = "" } = changes;
  await checkOwnership(tx, { ownerId, teamId, renewalPolicyId }, "changes.");
  const { teamIds } = actor.grants;
  if (changes.teamId !== undefined) requireWithin({ teamIds, issuerIds: [] }, { teamId, issuerId: "" });
}

/** Gives a certificate another owner, team, renewal policy or environment, as the policy rules let it. False: it has them. */
export async function reassignCertificate(
  tx: Transaction,
  actor: Actor,
  id: string,
  changes: Reassignment,
  now: Date,
): Promise<boolean> {
  await lockLive(tx, actor, id);
  const before = await tx.managedCertificate.findUniqueOrThrow({ where: { id } });
  const { ownerId, teamId, renewalPolicyId } = await checkOwnership(
    tx,
    {
      ownerId: changes.ownerId ?? before.ownerId ?? "",
      teamId: changes.teamId ?? before.teamId ?? "",
      renewalPolicyId: changes.renewalPolicyId ?? before.renewalPolicyId,
    },
    "",
  );
  const data = { ownerId, teamId, renewalPolicyId, environment: changes.environment ?? before.environment };
  const isSame = Object.entries(data).every(([name, value]) => before[name as keyof typeof data] === value);
  if (isSame) return false;
  await tx.managedCertificate.update({ where: { id }, data });
  await recordAudit(tx, actor, {
    action: "certificate_reassigned",
    resourceType: "certificate",
    resourceId: id,
    details: {
      before: {
        owner_id: before.ownerId,
        team_id: before.teamId,
        renewal_policy_id: before.renewalPolicyId,
        environment: before.environment,
      },
      after: {
        owner_id: ownerId,
        team_id: teamId,
        renewal_policy_id: renewalPolicyId,
        environment: data.environment,
      },
    },
  });
  await judgeWrite(tx, id, now);
  return true;
}
