import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Notifier, NotifierSchema, type NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { configSchema } from "../connectors/fields.ts";
import { maskSecrets } from "../connectors/secrets.ts";
import { invalid, notFound } from "../platform/errors.ts";
import { archiveRow, restoreRow } from "../resources/archive.ts";
import { createNotifier, type NotifierDeps, notifierKind, updateNotifier } from "./manage.ts";
import { notifiers } from "./registry.ts";
import type { Delivery } from "./send.ts";
import { testNotifier, testNotifierConfig } from "./test-send.ts";
import { findNotifier, listNotifiers, type NotifierView } from "./view.ts";

export function notifierService(deps: NotifierDeps): ServiceImpl<typeof NotifierService> {
  const { db, clock } = deps;

  async function read(id: string): Promise<Notifier> {
    const view = await findNotifier(db, id);
    if (!view) throw notFound("notifier", id);
    return message(view);
  }

  return {
    async listNotifiers(request) {
      const { rows, ...page } = await listNotifiers(db, request);
      return { ...page, data: rows.map(message) };
    },
    async getNotifier({ id }) {
      return { notifier: await read(id) };
    },
    async createNotifier(request, context) {
      const { kind, type, config = {}, enabled = true } = request;
      if (kind && type && kind !== type)
        throw invalid({ field: "type", description: "says another kind than kind; send one of them" });
      const wanted = { ...request, kind: kind || type, config, enabled };
      return { notifier: await read(await createNotifier(deps, callerOf(context), wanted)) };
    },
    async updateNotifier(request, context) {
      const { id, config = {}, enabled = true } = request;
      await updateNotifier(deps, callerOf(context), { ...request, config, enabled });
      return { notifier: await read(id) };
    },
    async deleteNotifier({ id }, context) {
      await archiveRow(db, callerOf(context), notifierKind, {
        id,
        now: clock(),
        dependants: async (tx) => ({
          "renewal policies": await tx.renewalPolicyChannel.count({
            where: { notifierId: id, renewalPolicy: { archivedAt: null } },
          }),
        }),
      });
      return {};
    },
    async restoreNotifier({ id }, context) {
      await restoreRow(db, callerOf(context), notifierKind, id);
      return { notifier: await read(id) };
    },
    async testNotifier(request, context) {
      return outcome(await testNotifier(deps, callerOf(context), request, context.signal));
    },
    async testNotifierConfig(request, context) {
      const wanted = { ...request, config: request.config ?? {} };
      return outcome(await testNotifierConfig(deps, callerOf(context), wanted, context.signal));
    },
    listNotifierKinds() {
      const data = notifiers.map(({ kind, title, config, isAddressed }) => ({
        kind,
        title,
        configSchema: configSchema(config),
        addressed: isAddressed,
      }));
      return { data };
    },
  };
}

function outcome({ isDelivered, words }: Delivery) {
  return { delivered: isDelivered, message: words };
}

function message({ createdAt, updatedAt, archivedAt, config, ...view }: NotifierView): Notifier {
  return create(NotifierSchema, {
    ...view,
    config: maskSecrets(config as JsonObject),
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
    ...(archivedAt ? { archivedAt: timestampFromDate(archivedAt) } : {}),
  });
}
