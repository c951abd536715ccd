import type { CertificateVersion } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { numberedVersions } from "./numbered-versions.ts";

/** Versions newest first; `current` marks the newest of each agent's. */
export async function listVersions(
  db: Database,
  certificateId: string,
  skip: number,
  take: number,
): Promise<{ total: number; rows: (CertificateVersion & { current: boolean; number: number })[] }> {
  const where = { certificateId };
  const [total, rows, newest, numbers] = await Promise.all([
    db.certificateVersion.count({ where }),
    db.certificateVersion.findMany({ where, orderBy: [{ createdAt: "desc" }, { id: "asc" }], skip, take }),
    db.$queryRaw<{ id: string }[]>`
      SELECT DISTINCT ON (agent_id) id FROM certificate_versions WHERE certificate_id = ${certificateId}
      ORDER BY agent_id, created_at DESC`,
    db.$queryRaw<{ id: string; number: number }[]>`SELECT id, number FROM ${numberedVersions(certificateId)}`,
  ]);
  const numberOf = new Map(numbers.map(({ id, number }) => [id, number]));
  const isNewest = (id: string) => newest.some((one) => one.id === id);
  return {
    total,
    rows: rows.map((row) => ({ ...row, current: isNewest(row.id), number: numberOf.get(row.id) ?? 0 })),
  };
}

/** A target of a certificate with what was proven and what was last seen there. */
export interface DeploymentRow {
  targetId: string;
  agentId: string;
  versionId: string | null;
  fingerprint: string | null;
  servedFingerprint: string | null;
  servedAt: Date | null;
  jobId: string | null;
}

export async function listDeployments(db: Database, certificateId: string): Promise<DeploymentRow[]> {
  return db.$queryRaw<DeploymentRow[]>`
    SELECT m.target_id AS "targetId", t.agent_id AS "agentId", m.version_id AS "versionId",
      v.fingerprint_sha256 AS fingerprint, m.served_fingerprint_sha256 AS "servedFingerprint", m.served_at AS "servedAt",
      newest.id AS "jobId"
    FROM certificate_target_mappings m
    JOIN deployment_targets t ON t.id = m.target_id
    LEFT JOIN certificate_versions v ON v.id = m.version_id
    LEFT JOIN LATERAL (
      SELECT j.id FROM jobs j
      WHERE j.type = 'Deployment' AND j.certificate_id = m.certificate_id AND j.target_id = m.target_id
      ORDER BY j.created_at DESC, j.generation DESC LIMIT 1
    ) newest ON true
    WHERE m.certificate_id = ${certificateId} ORDER BY m.target_id`;
}
