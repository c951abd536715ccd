import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Agent, AgentSchema, type AgentService, AgentStatusSchema } from "#gen/certctl/v1/agents_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Authority } from "../authorities/authority.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { pageOf } from "../platform/paging.ts";
import { wordsOf } from "../platform/words.ts";
import { caPin, joinString } from "../x509/pin.ts";
import { createJoinToken, endJoinToken, registerAgent } from "./register.ts";
import { type AgentView, findAgent, listAgents } from "./view.ts";

const statuses = wordsOf(AgentStatusSchema);

export function agentService(deps: {
  db: Database;
  clock: () => Date;
  systemRoot: Authority;
  serverUrl: URL;
}): ServiceImpl<typeof AgentService> {
  const { db, systemRoot, serverUrl } = deps;
  const pin = caPin(systemRoot.spki);
  return {
    async listAgents(request) {
      const { page, perPage, skip, take } = pageOf(request);
      const { total, rows } = await listAgents(db, skip, take);
      return { data: rows.map(message), total, page, perPage };
    },
    async getAgent({ id }) {
      const view = await findAgent(db, id);
      if (!view) throw notFound("agent", id);
      return { agent: message(view) };
    },
    async createAgent(request, context) {
      const { agent, apiKey } = await registerAgent(db, callerOf(context), request);
      return {
        agent: {
          id: agent.id,
          name: agent.name,
          createdAt: timestampFromDate(agent.createdAt),
          apiKey,
          caPin: pin,
        },
      };
    },
    async createJoinToken(request, context) {
      const { joinToken, token } = await createJoinToken(deps, callerOf(context), request);
      return {
        joinToken: {
          id: joinToken.id,
          agentId: joinToken.agentId ?? "",
          maxUses: joinToken.maxUses,
          expiresAt: timestampFromDate(joinToken.expiresAt),
          createdAt: timestampFromDate(joinToken.createdAt),
          token,
          join: joinString({ server: serverUrl, token, pin }),
        },
      };
    },
    async listJoinTokens(request) {
      const { page, perPage, skip, take } = pageOf(request);
      const [total, rows] = await Promise.all([
        db.joinToken.count(),
        db.joinToken.findMany({ orderBy: [{ createdAt: "desc" }, { id: "asc" }], skip, take }),
      ]);
      const data = rows.map((row) => ({
        id: row.id,
        agentId: row.agentId ?? "",
        maxUses: row.maxUses,
        uses: row.uses,
        expiresAt: timestampFromDate(row.expiresAt),
        createdAt: timestampFromDate(row.createdAt),
      }));
      return { data, total, page, perPage };
    },
    async deleteJoinToken({ id }, context) {
      await endJoinToken(deps, callerOf(context), id);
      return {};
    },
  };
}

function message(view: AgentView): Agent {
  return create(AgentSchema, {
    id: view.id,
    name: view.name,
    status: statuses.value(view.status),
    hostname: view.hostname,
    version: view.version,
    capabilities: view.capabilities,
    ...(view.lastHeartbeatAt ? { lastHeartbeatAt: timestampFromDate(view.lastHeartbeatAt) } : {}),
    ...(view.identityExpiresAt ? { identityExpiresAt: timestampFromDate(view.identityExpiresAt) } : {}),
    createdAt: timestampFromDate(view.createdAt),
  });
}
