import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { expectedVersions } from "./expected.ts";

/** A version that is in use, and where. */
interface UsedVersion {
  versionId: string;
  /** The targets that are to have it, or were last seen to serve it; empty: its agent has nothing newer. */
  targetNames: string[];
}

/**
 * Whether a version `v` of a live certificate `c` is in use: a target is to have it or was last seen to serve it, or the
 * certificate has no target and its agent has nothing newer.
 */
const usingTargets = Prisma.sql`
  SELECT e.target_name FROM (${expectedVersions(Prisma.sql`c.id`)}) e
  WHERE e.version_id = v.id OR e.proven_version_id = v.id OR e.served_fingerprint = v.fingerprint_sha256`;
const isLastWord = Prisma.sql`(
  NOT EXISTS (SELECT 1 FROM certificate_target_mappings m WHERE m.certificate_id = c.id)
  AND NOT EXISTS (
    SELECT 1 FROM certificate_versions newer
    WHERE newer.certificate_id = c.id AND newer.agent_id = v.agent_id AND newer.created_at > v.created_at))`;

/** Those of the versions that something still relies on. Nothing relies on an archived certificate's. */
export async function versionsInUse(tx: Transaction, versionIds: readonly string[]): Promise<UsedVersion[]> {
  return tx.$queryRaw<UsedVersion[]>`
    SELECT v.id AS "versionId", array(${usingTargets}) AS "targetNames"
    FROM certificate_versions v JOIN managed_certificates c ON c.id = v.certificate_id AND c.archived_at IS NULL
    WHERE v.id = ANY(${[...versionIds]}::text[]) AND (EXISTS (${usingTargets}) OR ${isLastWord})
    ORDER BY v.id`;
}

/** How many of the certificates, given as a SELECT of ids, have a valid version that something still relies on. */
export async function countInUse(db: Database, ids: Prisma.Sql, now: Date): Promise<number> {
  const [row] = await db.$queryRaw<[{ count: number }]>`
    SELECT count(DISTINCT c.id)::int AS count
    FROM certificate_versions v JOIN managed_certificates c ON c.id = v.certificate_id AND c.archived_at IS NULL
    WHERE c.id IN (${ids}) AND v.not_after > ${now} AND v.revoked_at IS NULL AND (EXISTS (${usingTargets}) OR ${isLastWord})`;
  return row.count;
}
