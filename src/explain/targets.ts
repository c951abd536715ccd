import { numberedVersions } from "../certificates/numbered-versions.ts";
import type { Database } from "../platform/database.ts";

/** What a target of a certificate is to serve, and what it was last seen to serve. */
export interface ServedTarget {
  id: string;
  name: string;
  expectedNumber: number | null;
  expectedFingerprint: string | null;
  /** Null: none of this certificate's versions. */
  servedNumber: number | null;
  servedFingerprint: string | null;
  /** Null: nobody has looked yet. */
  servedAt: Date | null;
}

export type ServedState = "proven" | "other" | "nothing" | "unproven";

export async function servedTargets(db: Database, certificateId: string): Promise<ServedTarget[]> {
  return db.$queryRaw<ServedTarget[]>`
    WITH numbered AS (SELECT * FROM ${numberedVersions(certificateId)})
    SELECT t.id, t.name, expected.number AS "expectedNumber", expected.fingerprint_sha256 AS "expectedFingerprint",
      served.number AS "servedNumber", m.served_fingerprint_sha256 AS "servedFingerprint", m.served_at AS "servedAt"
    FROM certificate_target_mappings m
    JOIN deployment_targets t ON t.id = m.target_id
    LEFT JOIN LATERAL (
      SELECT n.number, n.fingerprint_sha256 FROM numbered n WHERE n.agent_id = t.agent_id
      ORDER BY n.created_at DESC LIMIT 1
    ) expected ON true
    LEFT JOIN numbered served ON served.fingerprint_sha256 = m.served_fingerprint_sha256
    WHERE m.certificate_id = ${certificateId} ORDER BY t.name, t.id`;
}

export function servedState({ expectedFingerprint, servedFingerprint, servedAt }: ServedTarget): ServedState {
  if (!servedAt) return "unproven";
  if (servedFingerprint === null) return "nothing";
  return servedFingerprint === expectedFingerprint ? "proven" : "other";
}
