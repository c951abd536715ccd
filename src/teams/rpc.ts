import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Team, TeamSchema, type TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { restoreRow } from "../resources/archive.ts";
import { archiveTeam, createTeam, teamKind, updateTeam } from "./manage.ts";
import { findTeam, listTeams, type TeamView } from "./view.ts";

export function teamService(deps: { db: Database; clock: () => Date }): ServiceImpl<typeof TeamService> {
  const { db, clock } = deps;

  async function read(id: string): Promise<Team> {
    const view = await findTeam(db, id);
    if (!view) throw notFound("team", id);
    return message(view);
  }

  return {
    async listTeams(request) {
      const { rows, ...page } = await listTeams(db, request);
      return { ...page, data: rows.map(message) };
    },
    async getTeam({ id }) {
      return { team: await read(id) };
    },
    async createTeam(request, context) {
      return { team: await read(await createTeam(db, callerOf(context), request)) };
    },
    async updateTeam(request, context) {
      await updateTeam(db, callerOf(context), request);
      return { team: await read(request.id) };
    },
    async deleteTeam({ id }, context) {
      await archiveTeam(db, callerOf(context), id, clock());
      return {};
    },
    async restoreTeam({ id }, context) {
      await restoreRow(db, callerOf(context), teamKind, id);
      return { team: await read(id) };
    },
  };
}

function message({ createdAt, updatedAt, archivedAt, ...view }: TeamView): Team {
  return create(TeamSchema, {
    ...view,
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
    ...(archivedAt ? { archivedAt: timestampFromDate(archivedAt) } : {}),
  });
}
