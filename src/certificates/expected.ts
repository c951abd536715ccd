import { Prisma } from "#gen/prisma/client.ts";

/**
 * The targets of a certificate with the version that each is to have: the one that was last deployed there, whatever came
 * of it, unless that was cancelled. After a rollback that is the older one.
 */
export function expectedVersions(certificateId: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT m.target_id, t.name AS target_name, t.agent_id, m.version_id AS proven_version_id, m.proven_at,
      m.served_fingerprint_sha256 AS served_fingerprint, m.served_at, m.drifted_at, m.healed_at,
      coalesce(wanted.version_id, m.version_id) AS version_id, newest.id AS job_id
    FROM certificate_target_mappings m
    JOIN deployment_targets t ON t.id = m.target_id
    LEFT JOIN LATERAL (
      SELECT j.id FROM jobs j
      WHERE j.type = 'Deployment' AND j.certificate_id = m.certificate_id AND j.target_id = m.target_id
      ORDER BY j.created_at DESC, j.generation DESC LIMIT 1
    ) newest ON true
    LEFT JOIN LATERAL (
      SELECT j.version_id FROM jobs j
      WHERE j.type = 'Deployment' AND j.certificate_id = m.certificate_id AND j.target_id = m.target_id
        AND j.status <> 'Cancelled'
      ORDER BY j.created_at DESC, j.generation DESC LIMIT 1
    ) wanted ON true
    WHERE m.certificate_id = ${certificateId}`;
}
