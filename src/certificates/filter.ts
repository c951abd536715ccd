import { Prisma } from "#gen/prisma/client.ts";
import { contains } from "../platform/listing.ts";

/** Which certificates are meant; empty texts and lists choose all that are live. */
export interface CertificateFilter {
  ids: readonly string[];
  statuses: readonly string[];
  schedules: readonly string[];
  q: string;
  environment: string;
  ownerId: string;
  teamId: string;
  issuerId: string;
  renewalPolicyId: string;
  agentId: string;
  targetId: string;
  /** "name" or "name=value". */
  tags: readonly string[];
  expiresBefore: Date | null;
  expiresAfter: Date | null;
  archived: boolean;
}

/** The conditions over what a certificate has by itself. */
export function baseConditions(filter: CertificateFilter): Prisma.Sql[] {
  const texts: [string, Prisma.Sql][] = [
    [filter.environment, Prisma.sql`environment`],
    [filter.ownerId, Prisma.sql`"ownerId"`],
    [filter.teamId, Prisma.sql`"teamId"`],
    [filter.issuerId, Prisma.sql`"issuerId"`],
    [filter.renewalPolicyId, Prisma.sql`"renewalPolicyId"`],
  ];
  return [
    liveness(filter),
    ...texts.flatMap(([wanted, column]) => (wanted ? [Prisma.sql`${column} = ${wanted}`] : [])),
    ...(filter.ids.length > 0 ? [Prisma.sql`id = ANY(${[...filter.ids]}::text[])`] : []),
    ...(filter.q ? [contains(filter.q, [Prisma.sql`name`, ...names])] : []),
    ...(filter.agentId ? [isOfAgent(filter.agentId)] : []),
    ...(filter.targetId ? [isOnTarget(filter.targetId)] : []),
    ...filter.tags.map(hasTag),
  ];
}

/** The conditions over what is computed about a certificate. */
export function computedConditions(filter: CertificateFilter): Prisma.Sql[] {
  const { statuses, schedules, expiresBefore, expiresAfter } = filter;
  return [
    ...(statuses.length > 0 ? [Prisma.sql`status = ANY(${[...statuses]}::text[])`] : []),
    ...(schedules.length > 0 ? [Prisma.sql`schedule = ANY(${[...schedules]}::text[])`] : []),
    ...(expiresBefore ? [Prisma.sql`"expiresAt" < ${expiresBefore}`] : []),
    ...(expiresAfter ? [Prisma.sql`"expiresAt" >= ${expiresAfter}`] : []),
  ];
}

const names = [Prisma.sql`"commonName"`, Prisma.sql`array_to_string(sans, ' ')`];

/** Archived ones are among what is meant where the filter says so, by its flag or by their status. */
function liveness({ archived, statuses }: CertificateFilter): Prisma.Sql {
  if (statuses.includes("Archived")) return Prisma.sql`true`;
  return Prisma.sql`("archivedAt" IS NOT NULL) = ${archived}`;
}

function isOfAgent(agentId: string): Prisma.Sql {
  return Prisma.sql`("agentId" = ${agentId} OR EXISTS (
    SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
    WHERE m.certificate_id = items.id AND t.agent_id = ${agentId}))`;
}

function isOnTarget(targetId: string): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT 1 FROM certificate_target_mappings m WHERE m.certificate_id = items.id AND m.target_id = ${targetId})`;
}

function hasTag(text: string): Prisma.Sql {
  const at = text.indexOf("=");
  if (at < 0) return Prisma.sql`jsonb_exists(tags, ${text})`;
  return Prisma.sql`tags ->> ${text.slice(0, at)} = ${text.slice(at + 1)}`;
}
