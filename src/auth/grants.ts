import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { denied, notFound } from "../platform/errors.ts";

/**
 * What a caller's role reaches: certificates of these teams that these issuers sign, with their jobs, versions and
 * deployments. An empty list names all. What lies outside does not exist for the caller: 404, and left out of lists.
 */
export interface Grants {
  readonly teamIds: readonly string[];
  readonly issuerIds: readonly string[];
}

export const unrestricted: Grants = { teamIds: [], issuerIds: [] };

export function isRestricted({ teamIds, issuerIds }: Grants): boolean {
  return teamIds.length > 0 || issuerIds.length > 0;
}

/** Whether everything that `inner` reaches is reached by `outer`. */
export function covers(outer: Grants, inner: Grants): boolean {
  const within = (all: readonly string[], some: readonly string[]) =>
    all.length === 0 || (some.length > 0 && some.every((id) => all.includes(id)));
  return within(outer.teamIds, inner.teamIds) && within(outer.issuerIds, inner.issuerIds);
}

/** A condition over rows that carry a certificate's id: `grantedCertificate(grants, Prisma.sql`j.certificate_id`)`. */
export function grantedCertificate(grants: Grants, certificateId: Prisma.Sql): Prisma.Sql {
  if (!isRestricted(grants)) return Prisma.sql`true`;
  return Prisma.sql`EXISTS (SELECT 1 FROM managed_certificates granted
    WHERE granted.id = ${certificateId} AND ${matches(grants)})`;
}

/** Throws NotFound, as for a missing one, for a certificate outside the grants. */
export async function requireCertificate(
  db: Database | Transaction,
  grants: Grants,
  certificateId: string,
): Promise<void> {
  if (!isRestricted(grants)) return;
  const found = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM managed_certificates granted WHERE granted.id = ${certificateId} AND ${matches(grants)}`;
  if (found.length === 0) throw notFound("certificate", certificateId);
}

/** Throws PermissionDenied when a certificate is to belong where the grants do not reach. */
export function requireWithin(
  grants: Grants,
  { teamId, issuerId }: { teamId: string | null; issuerId: string },
): void {
  const lacks = (all: readonly string[], id: string | null) => all.length > 0 && !all.includes(id ?? "");
  if (lacks(grants.teamIds, teamId))
    throw denied(`this key is restricted to the teams ${grants.teamIds.join(", ")}: set team_id to one`);
  if (lacks(grants.issuerIds, issuerId))
    throw denied(
      `this key is restricted to the issuers ${grants.issuerIds.join(", ")}: set issuer_id to one`,
    );
}

/**
 * Throws PermissionDenied for a target that serves a certificate outside the grants: what else is deployed there takes
 * its place.
 */
export async function requireOwnTargets(
  tx: Transaction,
  grants: Grants,
  targetIds: readonly string[],
): Promise<void> {
  if (!isRestricted(grants)) return;
  const [foreign] = await tx.$queryRaw<{ id: string }[]>`
    SELECT m.target_id AS id FROM certificate_target_mappings m
    JOIN managed_certificates granted ON granted.id = m.certificate_id AND granted.archived_at IS NULL
    WHERE m.target_id = ANY(${[...targetIds]}::text[]) AND (${matches(grants)}) IS NOT TRUE ORDER BY 1 LIMIT 1`;
  if (foreign) throw denied(`target ${foreign.id} serves a certificate that this key does not reach`);
}

function matches({ teamIds, issuerIds }: Grants): Prisma.Sql {
  const team = Prisma.sql`granted.team_id = ANY(${[...teamIds]}::text[])`;
  const issuer = Prisma.sql`granted.issuer_id = ANY(${[...issuerIds]}::text[])`;
  return Prisma.sql`${teamIds.length > 0 ? team : Prisma.sql`true`} AND ${issuerIds.length > 0 ? issuer : Prisma.sql`true`}`;
}
