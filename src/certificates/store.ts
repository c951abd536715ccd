import type { CertificateVersion } from "#gen/prisma/client.ts";
import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { expectedVersions } from "./expected.ts";
import { numberedVersions } from "./numbered-versions.ts";

/** A version with its number among those of its certificate; `current` marks the newest of each agent's. */
export type VersionRow = CertificateVersion & { number: number; current: boolean };

/** Versions newest first. */
export async function listVersions(
  db: Database,
  certificateId: string,
  skip: number,
  take: number,
): Promise<{ total: number; rows: VersionRow[] }> {
  const where = { certificateId };
  const [total, rows, numbers] = await Promise.all([
    db.certificateVersion.count({ where }),
    db.certificateVersion.findMany({ where, orderBy: [{ createdAt: "desc" }, { id: "asc" }], skip, take }),
    placesOf(db, certificateId),
  ]);
  return { total, rows: rows.map((row) => ({ ...row, ...placeOf(numbers, row.id) })) };
}

/** One version of a certificate. */
export async function findVersion(
  db: Database,
  certificateId: string,
  id: string,
): Promise<VersionRow | null> {
  const row = await db.certificateVersion.findFirst({ where: { id, certificateId } });
  return row && { ...row, ...placeOf(await placesOf(db, certificateId), id) };
}

interface Place {
  id: string;
  number: number;
  current: boolean;
}

const placed = (certificateId: string) => Prisma.sql`
  SELECT id, number, row_number() OVER (PARTITION BY agent_id ORDER BY created_at DESC) = 1 AS current
  FROM ${numberedVersions(certificateId)}`;

function placesOf(db: Database, certificateId: string): Promise<Place[]> {
  return db.$queryRaw<Place[]>(placed(certificateId));
}

function placeOf(places: readonly Place[], id: string): { number: number; current: boolean } {
  const { number = 0, current = false } = places.find((place) => place.id === id) ?? {};
  return { number, current };
}

/** A target of a certificate with what it is to have, what was proven and what was last seen there. */
export interface DeploymentRow {
  targetId: string;
  targetName: string;
  agentId: string;
  versionId: string | null;
  versionNumber: number | null;
  fingerprint: string | null;
  provenAt: Date | null;
  servedFingerprint: string | null;
  servedAt: Date | null;
  driftedAt: Date | null;
  healedAt: Date | null;
  jobId: string | null;
  expectedVersionId: string | null;
  expectedVersionNumber: number | null;
  expectedFingerprint: string | null;
  proven: boolean;
}

export async function listDeployments(db: Database, certificateId: string): Promise<DeploymentRow[]> {
  return db.$queryRaw<DeploymentRow[]>`
    WITH places AS MATERIALIZED (${placed(certificateId)})
    SELECT t.target_id AS "targetId", t.target_name AS "targetName", t.agent_id AS "agentId",
      t.proven_version_id AS "versionId", proven_place.number AS "versionNumber", proven.fingerprint_sha256 AS fingerprint,
      t.proven_at AS "provenAt", t.served_fingerprint AS "servedFingerprint", t.served_at AS "servedAt",
      t.drifted_at AS "driftedAt", t.healed_at AS "healedAt",
      t.job_id AS "jobId", t.version_id AS "expectedVersionId", wanted_place.number AS "expectedVersionNumber",
      wanted.fingerprint_sha256 AS "expectedFingerprint",
      coalesce(proven.id = t.version_id AND t.served_fingerprint = proven.fingerprint_sha256, false) AS proven
    FROM (${expectedVersions(Prisma.sql`${certificateId}`)}) t
    LEFT JOIN certificate_versions proven ON proven.id = t.proven_version_id
    LEFT JOIN places proven_place ON proven_place.id = t.proven_version_id
    LEFT JOIN certificate_versions wanted ON wanted.id = t.version_id
    LEFT JOIN places wanted_place ON wanted_place.id = t.version_id
    ORDER BY t.target_id`;
}
