import { system } from "../audit/record.ts";
import { raiseEvent } from "../notifications/raise.ts";
import type { Transaction } from "../platform/database.ts";
import { heal } from "./heal.ts";
import type { LeasedJob } from "./lease.ts";

/** What became proven at a place by the same handshakes. */
interface Proven {
  versionId: string | null;
  provenAt: Date;
}

/**
 * Keeps what a target was seen to serve, null for nothing, unless a newer deployment was proven there since: then the report tells
 * of the past. A place that serves something else than what was proven there has drifted: people are told when that begins and
 * when it ends, and the renewal policy may have it put right.
 */
export async function storeServed(
  tx: Transaction,
  job: LeasedJob,
  fingerprint: string | null,
  now: Date,
  proven: Proven | Record<string, never> = {},
): Promise<void> {
  const place = { certificateId: job.certificateId, targetId: job.targetId ?? "" };
  const newer = { ...place, status: "Completed", generation: { gt: job.generation } };
  if ((await tx.job.count({ where: newer })) > 0) return;
  const data = { servedFingerprint: fingerprint, servedAt: now, ...proven };
  const { count } = await tx.certificateTarget.updateMany({ where: place, data });
  if (count === 0) return;
  const { driftedAt, healedAt, version } = await tx.certificateTarget.findUniqueOrThrow({
    where: { certificateId_targetId: place },
    include: { version: { select: { fingerprintSha256: true } } },
  });
  const hasDrifted = version !== null && version.fingerprintSha256 !== fingerprint;
  if (hasDrifted === (driftedAt !== null)) return;
  await tx.certificateTarget.updateMany({ where: place, data: { driftedAt: hasDrifted ? now : null } });
  // A deployment has its own next attempt; what happened between deployments is what nobody else puts right.
  const healing =
    hasDrifted && job.type === "Validation" ? await heal(tx, system, { ...place, healedAt }, now) : "";
  const { fingerprintSha256: expected = "" } = version ?? {};
  const seen = { expected, served: fingerprint ?? "", isOpen: hasDrifted, healing };
  await raiseEvent(tx, { type: "TargetDrifted", ...place, ...seen }, now);
}
