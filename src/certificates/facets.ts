import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import { allOf } from "../platform/listing.ts";
import {
  type CertificateFilter,
  conditionsBesideFacets,
  type FacetName,
  facetColumns,
  facetCondition,
  facetNames,
  liveness,
} from "./filter.ts";
import { certificateViews } from "./view.ts";

export interface FacetValue {
  value: string;
  name: string;
  count: number;
}

export type CertificateFacets = { total: number } & Record<FacetName | "tag", FacetValue[]>;

const mostValues = 100;
const expiryOrder = ["expired", "7d", "14d", "30d", "60d", "90d", "later"];

/** Where the names of a facet's ids stand. */
const nameTables: Partial<Record<FacetName, Prisma.Sql>> = {
  issuer: Prisma.sql`issuers`,
  owner: Prisma.sql`owners`,
  team: Prisma.sql`teams`,
  renewalPolicy: Prisma.sql`renewal_policies`,
};

/**
 * Counts certificates by each facet, all other facets' filters applied. They are read once and folded to what they have
 * in common, so that the facets are counted over few rows.
 */
export async function countFacets(
  db: Database,
  grants: Grants,
  filter: CertificateFilter,
  now: Date,
): Promise<CertificateFacets> {
  const beside = [grantedCertificate(grants, Prisma.sql`items.id`), ...conditionsBesideFacets(filter)];
  const columns = Prisma.join(facetNames.map((facet) => facetColumns[facet]));
  const isArchived = Prisma.sql`"archivedAt" IS NOT NULL`;
  const matching = allOf(conditionsOf(filter, null));
  const [[, counted], tags] = await Promise.all([
    db.$transaction([
      // Enough to fold in memory: sorting would take longer than reading.
      db.$executeRaw`SET LOCAL work_mem = '64MB'`,
      db.$queryRaw<(FacetValue & { facet: string })[]>`
      WITH alike AS MATERIALIZED (
        SELECT ${columns}, CASE WHEN ${isArchived} THEN now() END AS "archivedAt", count(*) AS count
        FROM (${certificateViews(now)}) items WHERE ${allOf(beside)} GROUP BY ${columns}, ${isArchived}
      )
      SELECT 'total' AS facet, '' AS value, '' AS name, coalesce(sum(count), 0)::int AS count FROM alike WHERE ${matching}
      UNION ALL ${Prisma.join(
        facetNames.map((facet) => facetCounts(filter, facet)),
        " UNION ALL ",
      )}
      ORDER BY 1, 4 DESC, 2`,
    ]),
    db.$queryRaw<FacetValue[]>`
      SELECT tag AS value, tag AS name, count(*)::int AS count
      FROM (${certificateViews(now)}) items CROSS JOIN LATERAL jsonb_object_keys(items.tags) tag
      WHERE ${allOf([...beside, matching])} GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT ${mostValues}`,
  ]);
  const of = (wanted: string): FacetValue[] =>
    counted
      .filter(({ facet }) => facet === wanted)
      .slice(0, mostValues)
      .map(({ value, name, count }) => ({ value, name, count }));
  const facets = Object.fromEntries(facetNames.map((facet) => [facet, of(facet)])) as Record<
    FacetName,
    FacetValue[]
  >;
  const expiry = facets.expiry.toSorted(
    (one, other) => expiryOrder.indexOf(one.value) - expiryOrder.indexOf(other.value),
  );
  return { ...facets, expiry, tag: tags, total: of("total")[0]?.count ?? 0 };
}

/** Archived ones are one of the statuses: leaving them out is that facet's doing. */
function conditionsOf(filter: CertificateFilter, except: FacetName | null): Prisma.Sql[] {
  const facets = facetNames.filter((facet) => facet !== except);
  return [
    ...(except === "status" ? [] : [liveness(filter)]),
    ...facets.flatMap((facet) => facetCondition(filter, facet) ?? []),
  ];
}

function facetCounts(filter: CertificateFilter, facet: FacetName): Prisma.Sql {
  const table = nameTables[facet];
  const name = table
    ? Prisma.sql`coalesce((SELECT named.name FROM ${table} named WHERE named.id = value), '')`
    : Prisma.sql`value`;
  const isSaid = facet === "schedule" || facet === "expiry" ? Prisma.sql`value <> ''` : Prisma.sql`true`;
  return Prisma.sql`(SELECT ${facet}, value, ${name}, count FROM (
      SELECT coalesce(${facetColumns[facet]}, '') AS value, sum(count)::int AS count FROM alike
      WHERE ${allOf(conditionsOf(filter, facet))} GROUP BY 1
    ) counted WHERE ${isSaid})`;
}
