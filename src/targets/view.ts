import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import type { ListedPage, ListRequest } from "../platform/listing.ts";
import { type NamedFilter, namedResource } from "../resources/named.ts";

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

const targets = namedResource<TargetView>(Prisma.sql`
    SELECT id, name, kind, agent_id AS "agentId", config, created_at AS "createdAt", updated_at AS "updatedAt",
      archived_at AS "archivedAt"
    FROM deployment_targets`);

/** A page of targets with the number of all that match. Empty filters match all. */
export function listTargets(
  db: Database,
  request: ListRequest & NamedFilter & { kind: string; agentId: string; certificateId: string },
): Promise<ListedPage<TargetView>> {
  const { kind, agentId, certificateId } = request;
  return targets.list(db, request, [
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
