import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface TargetView {
  id: string;
  name: string;
  kind: string;
  agentId: string;
  config: object;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT id, name, kind, agent_id AS "agentId", config, created_at AS "createdAt", updated_at AS "updatedAt",
      archived_at AS "archivedAt"
    FROM deployment_targets`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    name: { sql: Prisma.sql`name`, type: "text" },
  },
  defaultSort: "-created_at",
};

export interface TargetFilter {
  archived: boolean;
  q: string;
  kind: string;
  agentId: string;
  certificateId: string;
}

/** A page of targets with the number of all that match. Empty filters match all. */
export async function listTargets(
  db: Database,
  request: ListRequest,
  filter: TargetFilter,
): Promise<ListedPage<TargetView>> {
  const { archived, q, kind, agentId, certificateId } = filter;
  return listPage<TargetView>(db, shape, request, [
    Prisma.sql`("archivedAt" IS NOT NULL) = ${archived}`,
    ...(q ? [contains(q, [Prisma.sql`name`])] : []),
    ...(kind ? [Prisma.sql`kind = ${kind}`] : []),
    ...(agentId ? [Prisma.sql`"agentId" = ${agentId}`] : []),
    ...(certificateId
      ? [
          Prisma.sql`EXISTS (SELECT 1 FROM certificate_target_mappings m
            WHERE m.target_id = items.id AND m.certificate_id = ${certificateId})`,
        ]
      : []),
  ]);
}
