import { Prisma } from "#gen/prisma/client.ts";
import { namedResource } from "../resources/named.ts";

export interface TeamView {
  id: string;
  name: string;
  description: string;
  email: string;
  ownerCount: number;
  certificateCount: number;
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const teams = namedResource<TeamView>(Prisma.sql`
    SELECT t.id, t.name, t.description, t.email, t.created_at AS "createdAt", t.updated_at AS "updatedAt",
      t.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM owners o WHERE o.team_id = t.id AND o.archived_at IS NULL) AS "ownerCount",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.team_id = t.id AND c.archived_at IS NULL)
        AS "certificateCount"
    FROM teams t`);
export const findTeam = teams.find;
export const listTeams = teams.list;
