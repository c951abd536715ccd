import { Prisma } from "#gen/prisma/client.ts";

/** The versions of a certificate with their `number`: renewals that issued something, counted from 1. A FROM item. */
export function numberedVersions(certificateId: string): Prisma.Sql {
  return Prisma.sql`(
    SELECT v.*, dense_rank() OVER (ORDER BY first_at, renewal_id)::int AS number FROM (
      SELECT v.*, min(created_at) OVER (PARTITION BY renewal_id) AS first_at
      FROM certificate_versions v WHERE certificate_id = ${certificateId}
    ) v
  ) numbered`;
}
