import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type Agent,
  AgentEntrySchema,
  AgentSchema,
  type AgentService,
  AgentStatusSchema,
} from "#gen/certctl/v1/agents_pb.ts";
import { type JoinToken, Prisma } from "#gen/prisma/client.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Authority } from "../authorities/authority.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { type ListShape, listPage } from "../platform/listing.ts";
import { wordsOf } from "../platform/words.ts";
import { caPin, joinString } from "../x509/pin.ts";
import { createJoinToken, endJoinToken, registerAgent } from "./register.ts";
import { renameAgent, restoreAgent, retireAgent } from "./retire.ts";
import { type AgentView, findAgent, listAgents } from "./view.ts";

const statuses = wordsOf(AgentStatusSchema);

const joinTokens: ListShape = {
  view: Prisma.sql`
    SELECT id, agent_id AS "agentId", max_uses AS "maxUses", uses, expires_at AS "expiresAt", created_at AS "createdAt"
    FROM join_tokens`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    expires_at: { sql: Prisma.sql`"expiresAt"`, type: "timestamptz" },
  },
  defaultSort: "-created_at",
};

export function agentService(deps: {
  db: Database;
  clock: () => Date;
  systemRoot: Authority;
  serverUrl: URL;
}): ServiceImpl<typeof AgentService> {
  const { db, systemRoot, serverUrl } = deps;
  const pin = caPin(systemRoot.spki);

  async function read(id: string, context: HandlerContext): Promise<Agent> {
    const view = await findAgent(db, callerOf(context).grants, id);
    if (!view) throw notFound("agent", id);
    return message(view);
  }

  return {
    async listAgents(request, context) {
      const wanted = { statuses: request.status.map(statuses.text), q: request.q };
      const { rows, ...page } = await listAgents(db, callerOf(context).grants, request, wanted);
      return { ...page, data: rows.map(message) };
    },
    async getAgent({ id }, context) {
      return { agent: await read(id, context) };
    },
    async updateAgent(request, context) {
      await renameAgent(deps, callerOf(context), request);
      return { agent: await read(request.id, context) };
    },
    async deleteAgent({ id }, context) {
      await retireAgent(deps, callerOf(context), { id, force: false, reason: "" });
      return {};
    },
    async retireAgent(request, context) {
      await retireAgent(deps, callerOf(context), request);
      return { agent: await read(request.id, context) };
    },
    async restoreAgent({ id }, context) {
      await restoreAgent(deps, callerOf(context), id);
      return { agent: await read(id, context) };
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
      const { rows, ...page } = await listPage<JoinToken>(db, joinTokens, request);
      const data = rows.map((row) => ({
        id: row.id,
        agentId: row.agentId ?? "",
        maxUses: row.maxUses,
        uses: row.uses,
        expiresAt: timestampFromDate(row.expiresAt),
        createdAt: timestampFromDate(row.createdAt),
      }));
      return { ...page, data };
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
    problems: view.status === "Degraded" ? view.problems : [],
    targetCount: view.targetCount,
    certificateCount: view.certificateCount,
    entries: view.entries.map((entry) => create(AgentEntrySchema, entry)),
    openJobCount: view.openJobCount,
    ...(view.offlineAt ? { offlineAt: timestampFromDate(view.offlineAt) } : {}),
    ...(view.retiredAt ? { retiredAt: timestampFromDate(view.retiredAt) } : {}),
    ...(view.lastHeartbeatAt ? { lastHeartbeatAt: timestampFromDate(view.lastHeartbeatAt) } : {}),
    ...(view.identityExpiresAt ? { identityExpiresAt: timestampFromDate(view.identityExpiresAt) } : {}),
    createdAt: timestampFromDate(view.createdAt),
  });
}
