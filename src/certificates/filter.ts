import { Prisma } from "#gen/prisma/client.ts";
import { contains } from "../platform/listing.ts";

/** Which certificates are meant; empty texts and lists choose all that are live. */
export interface CertificateFilter {
  ids: readonly string[];
  statuses: readonly string[];
  schedules: readonly string[];
  expiries: readonly string[];
  q: string;
  /** Among environments, owners and teams an empty text stands for those without. */
  environments: readonly string[];
  ownerIds: readonly string[];
  teamIds: readonly string[];
  issuerIds: readonly string[];
  renewalPolicyIds: readonly string[];
  keyAlgorithms: readonly string[];
  agentIds: readonly string[];
  targetIds: readonly string[];
  /** SHA-256 of the certificates that signed the current version. */
  issuingCas: readonly string[];
  /** Only those that a person has to look at. */
  problems: boolean;
  /** "name" or "name=value". */
  tags: readonly string[];
  expiresBefore: Date | null;
  expiresAfter: Date | null;
  archived: boolean;
}

/** What certificates are counted by: each is filtered by several values, of which one has to hold. */
export const facetNames = [
  "status",
  "schedule",
  "expiry",
  "issuer",
  "owner",
  "team",
  "environment",
  "keyAlgorithm",
  "renewalPolicy",
] as const;
export type FacetName = (typeof facetNames)[number];

/** The column of certificateViews that a facet is counted by. */
export const facetColumns: Record<FacetName, Prisma.Sql> = {
  status: Prisma.sql`status`,
  schedule: Prisma.sql`schedule`,
  expiry: Prisma.sql`expiry`,
  issuer: Prisma.sql`"issuerId"`,
  owner: Prisma.sql`"ownerId"`,
  team: Prisma.sql`"teamId"`,
  environment: Prisma.sql`environment`,
  keyAlgorithm: Prisma.sql`"keyAlgorithm"`,
  renewalPolicy: Prisma.sql`"renewalPolicyId"`,
};

/** Those that are computed about a certificate; the others it has by itself. */
const computedFacets: readonly FacetName[] = ["status", "schedule", "expiry"];

/** The condition of one facet; undefined: the filter does not speak of it. */
export function facetCondition(filter: CertificateFilter, facet: FacetName): Prisma.Sql | undefined {
  const values = wantedOf(filter)[facet];
  if (values.length === 0) return undefined;
  const column = facetColumns[facet];
  const isOne = Prisma.sql`${column} = ANY(${[...values]}::text[])`;
  return values.includes("") ? Prisma.sql`(${isOne} OR ${column} IS NULL)` : isOne;
}

function wantedOf(filter: CertificateFilter): Record<FacetName, readonly string[]> {
  return {
    status: filter.statuses,
    schedule: filter.schedules,
    expiry: filter.expiries,
    issuer: filter.issuerIds,
    owner: filter.ownerIds,
    team: filter.teamIds,
    environment: filter.environments,
    keyAlgorithm: filter.keyAlgorithms,
    renewalPolicy: filter.renewalPolicyIds,
  };
}

/** The conditions over what a certificate has by itself. */
export function baseConditions(filter: CertificateFilter): Prisma.Sql[] {
  return [liveness(filter), ...plainConditions(filter), ...ofFacets(filter, isOwn)];
}

/** The conditions over what is computed about a certificate. */
export function computedConditions(filter: CertificateFilter): Prisma.Sql[] {
  const { expiresBefore, expiresAfter, issuingCas } = filter;
  return [
    ...ofFacets(filter, (facet) => !isOwn(facet)),
    ...(issuingCas.length > 0
      ? [Prisma.sql`coalesce("issuingCa", '') = ANY(${[...issuingCas]}::text[])`]
      : []),
    ...(filter.problems ? [hasProblem] : []),
    ...(expiresBefore ? [Prisma.sql`"expiresAt" < ${expiresBefore}`] : []),
    ...(expiresAfter ? [Prisma.sql`"expiresAt" >= ${expiresAfter}`] : []),
  ];
}

/** Whether a row of certificateViews failed, expired, is revoked, is behind its plan, or is at a place that serves something else. */
export const hasProblem = Prisma.sql`(status IN ('Failed', 'Expired', 'Expiring', 'Revoked') OR schedule IN ('Overdue', 'AtRisk')
  OR ("archivedAt" IS NULL AND id IN (
    SELECT m.certificate_id FROM certificate_target_mappings m JOIN certificate_versions v ON v.id = m.version_id
    WHERE m.served_at IS NOT NULL AND m.served_fingerprint_sha256 IS DISTINCT FROM v.fingerprint_sha256)))`;

const isOwn = (facet: FacetName) => !computedFacets.includes(facet);

function ofFacets(filter: CertificateFilter, isWanted: (facet: FacetName) => boolean): Prisma.Sql[] {
  return facetNames.filter(isWanted).flatMap((facet) => facetCondition(filter, facet) ?? []);
}

/** The conditions that belong to no facet and speak of what a certificate has by itself. */
function plainConditions(filter: CertificateFilter): Prisma.Sql[] {
  return [
    ...(filter.ids.length > 0 ? [Prisma.sql`id = ANY(${[...filter.ids]}::text[])`] : []),
    ...(filter.q ? [isFoundBy(filter.q)] : []),
    ...(filter.agentIds.length > 0 ? [isOfAgent(filter.agentIds)] : []),
    ...(filter.targetIds.length > 0 ? [isOnTarget(filter.targetIds)] : []),
    ...filter.tags.map(hasTag),
  ];
}

/** By a part of a name; by the serial number or the SHA-256 of any of its versions, as openssl and browsers write them. */
function isFoundBy(q: string): Prisma.Sql {
  const byName = contains(q, [Prisma.sql`name`, ...names]);
  const hex = q.replaceAll(/[:\s]/g, "");
  if (!/^[0-9A-Fa-f]{16,64}$/.test(hex)) return byName;
  return Prisma.sql`(${byName} OR id IN (
    SELECT v.certificate_id FROM certificate_versions v
    WHERE v.serial = ${hex.toUpperCase()} OR v.fingerprint_sha256 = ${hex.toLowerCase()}))`;
}

/** Every condition but the facets' and the one that leaves archived ones out. */
export function conditionsBesideFacets(filter: CertificateFilter): Prisma.Sql[] {
  const none = { statuses: [], schedules: [], expiries: [] };
  return [...plainConditions(filter), ...computedConditions({ ...filter, ...none })];
}

const names = [Prisma.sql`"commonName"`, Prisma.sql`array_to_string(sans, ' ')`];

/** Archived ones are among what is meant where the filter says so, by its flag or by their status. */
export function liveness({ archived, statuses }: CertificateFilter): Prisma.Sql {
  if (statuses.includes("Archived")) return Prisma.sql`true`;
  return Prisma.sql`("archivedAt" IS NOT NULL) = ${archived}`;
}

function isOfAgent(agentIds: readonly string[]): Prisma.Sql {
  const wanted = Prisma.sql`${[...agentIds]}::text[]`;
  return Prisma.sql`("agentId" = ANY(${wanted}) OR EXISTS (
    SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
    WHERE m.certificate_id = items.id AND t.agent_id = ANY(${wanted})))`;
}

function isOnTarget(targetIds: readonly string[]): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM certificate_target_mappings m
    WHERE m.certificate_id = items.id AND m.target_id = ANY(${[...targetIds]}::text[]))`;
}

function hasTag(text: string): Prisma.Sql {
  const at = text.indexOf("=");
  if (at < 0) return Prisma.sql`jsonb_exists(tags, ${text})`;
  return Prisma.sql`tags ->> ${text.slice(0, at)} = ${text.slice(at + 1)}`;
}
