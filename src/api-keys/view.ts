import { Prisma } from "#gen/prisma/client.ts";
import type { Grants } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import { type ListedPage, type ListRequest, listPage } from "../platform/listing.ts";

export interface ApiKeyView {
  id: string;
  name: string;
  role: string;
  status: string;
  agentId: string | null;
  teamIds: string[];
  issuerIds: string[];
  expiresAt: Date | null;
  revokedAt: Date | null;
  rotatedAt: Date | null;
  oldSecretEndsAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

export interface ApiKeyFilter {
  roles: readonly string[];
  /** Empty: all but those that were revoked. */
  statuses: readonly string[];
  agentId: string;
}

const columns = {
  created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
  name: { sql: Prisma.sql`name`, type: "text" },
  role: { sql: Prisma.sql`role`, type: "text" },
  expires_at: { sql: Prisma.sql`coalesce("expiresAt", 'infinity')`, type: "timestamptz" },
  last_used_at: { sql: Prisma.sql`coalesce("lastUsedAt", '-infinity')`, type: "timestamptz" },
} as const;

/** Keys with the status that follows from their dates; a secret's hash never leaves the table. */
function apiKeyViews(now: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT k.id, k.name, k.role, k.agent_id AS "agentId", k.team_ids AS "teamIds", k.issuer_ids AS "issuerIds",
      CASE
        WHEN k.revoked_at IS NOT NULL THEN 'Revoked'
        WHEN k.expires_at <= ${now} THEN 'Expired'
        ELSE 'Active'
      END AS status,
      k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt", k.rotated_at AS "rotatedAt",
      k.old_secret_ends_at AS "oldSecretEndsAt", k.last_used_at AS "lastUsedAt", k.created_at AS "createdAt"
    FROM api_keys k`;
}

/** What the grants cover: a restricted key sees keys with the same restrictions or more. */
function covered({ teamIds, issuerIds }: Grants): Prisma.Sql[] {
  const within = (column: Prisma.Sql, ids: readonly string[]) =>
    ids.length === 0 ? [] : [Prisma.sql`${column} <> '{}' AND ${column} <@ ${[...ids]}::text[]`];
  return [...within(Prisma.sql`"teamIds"`, teamIds), ...within(Prisma.sql`"issuerIds"`, issuerIds)];
}

export async function listApiKeys(
  db: Database,
  grants: Grants,
  request: ListRequest & { filter: ApiKeyFilter; now: Date },
): Promise<ListedPage<ApiKeyView>> {
  const { roles, statuses, agentId } = request.filter;
  const shape = { view: apiKeyViews(request.now), columns, defaultSort: "-created_at" };
  return listPage<ApiKeyView>(db, shape, request, [
    ...covered(grants),
    statuses.length > 0
      ? Prisma.sql`status = ANY(${[...statuses]}::text[])`
      : Prisma.sql`status <> 'Revoked'`,
    ...(roles.length > 0 ? [Prisma.sql`role = ANY(${[...roles]}::text[])`] : []),
    ...(agentId ? [Prisma.sql`"agentId" = ${agentId}`] : []),
  ]);
}

export async function findApiKey(
  db: Database,
  grants: Grants,
  id: string,
  now: Date,
): Promise<ApiKeyView | null> {
  const conditions = Prisma.join([Prisma.sql`id = ${id}`, ...covered(grants)], " AND ");
  const [view] = await db.$queryRaw<
    ApiKeyView[]
  >`SELECT * FROM (${apiKeyViews(now)}) keys WHERE ${conditions}`;
  return view ?? null;
}
