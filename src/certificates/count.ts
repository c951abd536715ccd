import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import { allOf } from "../platform/listing.ts";
import { baseConditions, type CertificateFilter, computedConditions } from "./filter.ts";
import { certificateViews } from "./view.ts";

/** How many certificates match each of several filters, in one pass over them. */
export async function countEach(
  db: Database,
  grants: Grants,
  filters: readonly CertificateFilter[],
  now: Date,
): Promise<number[]> {
  if (filters.length === 0) return [];
  const counts = filters.map(
    (filter) =>
      Prisma.sql`count(*) FILTER (WHERE ${allOf([...baseConditions(filter), ...computedConditions(filter)])})::int`,
  );
  const [row] = await db.$queryRaw<[{ counts: number[] }]>`
    SELECT ARRAY[${Prisma.join(counts)}] AS counts FROM (${certificateViews(now)}) items
    WHERE ${grantedCertificate(grants, Prisma.sql`items.id`)}`;
  return row.counts;
}
