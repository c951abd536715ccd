import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import {
  baseConditions,
  type CertificateFilter,
  computedConditions,
  hasProblem,
} from "../certificates/filter.ts";
import { certificateViews } from "../certificates/view.ts";
import type { Database } from "../platform/database.ts";
import { allOf } from "../platform/listing.ts";

/** Certificates that have one value in a layer, or one value in each of two layers that follow each other. */
export interface MapCount {
  layer: string;
  value: string;
  /** Null: a node. */
  nextLayer: string | null;
  nextValue: string | null;
  certificates: number;
  problems: number;
}

/** The layers of a map, from what signs to who answers for it. */
export function layersOf(grouping: "team" | "environment", place: "agent" | "target"): string[] {
  return ["issuer", "issuing_ca", grouping, place, "owner"];
}

/** Counts everything of the map that the filter chooses. The whole selection is the node without a layer. */
export async function countMap(
  db: Database,
  grants: Grants,
  filter: CertificateFilter,
  { grouping, place }: { grouping: "team" | "environment"; place: "agent" | "target" },
  now: Date,
): Promise<MapCount[]> {
  const layers = layersOf(grouping, place);
  const conditions = [
    grantedCertificate(grants, Prisma.sql`items.id`),
    ...baseConditions(filter),
    ...computedConditions(filter),
  ];
  const group = grouping === "team" ? Prisma.sql`coalesce("teamId", '')` : Prisma.sql`environment`;
  const at = place === "agent" ? Prisma.sql`t.agent_id` : Prisma.sql`t.id`;
  // An agent that makes a certificate's key has it, whether or not one of its targets does.
  const byKey =
    place === "agent"
      ? Prisma.sql`UNION SELECT id, "agentId" FROM chosen WHERE "agentId" IS NOT NULL`
      : Prisma.empty;
  const columns = layers.map((layer) => Prisma.raw(`"${layer}"`));
  const chosenPlaces = filter.targetIds.length > 0 && place === "target" ? filter.targetIds : [];
  const onlyPlaces =
    chosenPlaces.length > 0 ? Prisma.sql`WHERE t.id = ANY(${[...chosenPlaces]}::text[])` : Prisma.empty;
  const onlyAgents =
    place === "target" && filter.agentIds.length > 0
      ? Prisma.sql`WHERE t.agent_id = ANY(${[...filter.agentIds]}::text[])`
      : onlyPlaces;
  const nodes = columns.map((column, index) => {
    // Where a certificate is at several places, it counts once in each, and once in what is no place.
    const counted = isPlace(index, layers) ? Prisma.sql`placed` : Prisma.sql`plain`;
    return Prisma.sql`SELECT ${layers[index]} AS layer, ${column} AS value, NULL AS next_layer, NULL AS next_value,
      sum(certificates)::int AS certificates, sum(problems)::int AS problems FROM ${counted} GROUP BY 2`;
  });
  const edges = columns.slice(1).map((column, index) => {
    const counted =
      isPlace(index, layers) || isPlace(index + 1, layers) ? Prisma.sql`placed` : Prisma.sql`plain`;
    return Prisma.sql`SELECT ${layers[index]}, ${columns[index]}, ${layers[index + 1]}, ${column},
      sum(certificates)::int, sum(problems)::int FROM ${counted} GROUP BY 2, 4`;
  });
  const [, counts] = await db.$transaction([
    db.$executeRaw`SET LOCAL work_mem = '64MB'`,
    db.$queryRaw<MapCount[]>`
      WITH chosen AS MATERIALIZED (
        SELECT id, "agentId", "issuerId" AS "issuer", coalesce("issuingCa", '') AS "issuing_ca", ${group} AS ${columns[2]},
          coalesce("ownerId", '') AS "owner", ${hasProblem}::int AS problem
        FROM (${certificateViews(now)}) items WHERE ${allOf(conditions)}
      ), places AS (
        SELECT m.certificate_id AS id, ${at} AS place FROM certificate_target_mappings m
        JOIN deployment_targets t ON t.id = m.target_id JOIN chosen c ON c.id = m.certificate_id ${onlyAgents}
        ${byKey}
      ), plain AS MATERIALIZED (
        SELECT "issuer", "issuing_ca", ${columns[2]}, "owner", count(*) AS certificates, sum(problem) AS problems
        FROM chosen GROUP BY 1, 2, 3, 4
      ), placed AS MATERIALIZED (
        SELECT ${columns[2]}, coalesce(place, '') AS ${columns[3]}, "owner", count(*) AS certificates,
          sum(problem) AS problems
        FROM (SELECT DISTINCT id, place FROM places) places RIGHT JOIN chosen USING (id) GROUP BY 1, 2, 3
      ), counted (layer, value, next_layer, next_value, certificates, problems) AS (
        SELECT '', '', NULL, NULL, coalesce(sum(certificates), 0)::int, coalesce(sum(problems), 0)::int FROM plain
        UNION ALL ${Prisma.join([...nodes, ...edges], " UNION ALL ")}
      )
      SELECT layer, value, next_layer AS "nextLayer", next_value AS "nextValue", certificates, problems FROM counted
      ORDER BY problems > 0 DESC, certificates DESC, value, next_value`,
  ]);
  return counts;
}

function isPlace(index: number, layers: readonly string[]): boolean {
  return layers[index] === "agent" || layers[index] === "target";
}
