import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  TargetCheckSchema,
  type Target as TargetMessage,
  TargetSchema,
  type TargetService,
} from "#gen/certctl/v1/targets_pb.ts";
import { type ProbeResult, probeTarget } from "../agents/probe.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Bus } from "../platform/bus.ts";
import { invalid, notFound } from "../platform/errors.ts";
import {
  archiveTarget,
  checkConfig,
  createTarget,
  restoreTarget,
  type TargetDeps,
  updateTarget,
} from "./manage.ts";
import { targets } from "./registry.ts";
import { configSchema } from "./target.ts";
import { listTargets, type TargetView } from "./view.ts";

export function targetService(deps: TargetDeps & { bus: Bus }): ServiceImpl<typeof TargetService> {
  const { db } = deps;

  async function read(id: string): Promise<TargetMessage> {
    const row = await db.target.findUnique({ where: { id } });
    if (!row) throw notFound("target", id);
    return message({ ...row, config: row.config as JsonObject });
  }

  return {
    async listTargets(request) {
      const { rows, ...page } = await listTargets(db, request);
      return { ...page, data: rows.map(message) };
    },
    async getTarget({ id }) {
      return { target: await read(id) };
    },
    async createTarget(request, context) {
      const { kind, type, config = {} } = request;
      if (kind && type && kind !== type)
        throw invalid({ field: "type", description: "says another kind than kind; send one of them" });
      const id = await createTarget(deps, callerOf(context), { ...request, kind: kind || type, config });
      return { target: await read(id) };
    },
    async updateTarget(request, context) {
      await updateTarget(deps, callerOf(context), { ...request, config: request.config ?? {} });
      return { target: await read(request.id) };
    },
    async deleteTarget({ id }, context) {
      await archiveTarget(deps, callerOf(context), id);
      return {};
    },
    async restoreTarget({ id }, context) {
      await restoreTarget(deps, callerOf(context), id);
      return { target: await read(id) };
    },
    async testTarget({ id }, context) {
      const row = await db.target.findUnique({ where: { id } });
      if (!row) throw notFound("target", id);
      const wanted = { agentId: row.agentId, kind: row.kind, config: row.config as JsonObject, targetId: id };
      return found(await probeTarget(deps, callerOf(context), wanted, context.signal));
    },
    async testTargetConfig({ kind, agentId, config = {} }, context) {
      const wanted = { agentId, kind, config: checkConfig(kind, config), targetId: "" };
      return found(await probeTarget(deps, callerOf(context), wanted, context.signal));
    },
    listTargetKinds() {
      const data = targets.map((target) => ({
        kind: target.kind,
        title: target.title,
        configSchema: configSchema(target) as JsonObject,
      }));
      return { data };
    },
  };
}

function found({ served, checks, ...result }: ProbeResult) {
  return {
    ...result,
    checks: checks.map((check) => create(TargetCheckSchema, check)),
    servedFingerprintSha256: served,
  };
}

function message(row: TargetView): TargetMessage {
  return create(TargetSchema, {
    id: row.id,
    name: row.name,
    kind: row.kind,
    agentId: row.agentId,
    config: row.config as JsonObject,
    createdAt: timestampFromDate(row.createdAt),
    updatedAt: timestampFromDate(row.updatedAt),
    ...(row.archivedAt ? { archivedAt: timestampFromDate(row.archivedAt) } : {}),
  });
}
