import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { NotificationTypeSchema } from "#gen/certctl/v1/notifications_pb.ts";
import {
  type PolicyChannel,
  type RenewalPolicy,
  RenewalPolicySchema,
  type RenewalPolicyService,
} from "#gen/certctl/v1/renewal_policies_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { wordsOf } from "../platform/words.ts";
import { restoreRow } from "../resources/archive.ts";
import {
  archiveRenewalPolicy,
  createRenewalPolicy,
  renewalPolicyKind,
  updateRenewalPolicy,
} from "./manage.ts";
import {
  findRenewalPolicy,
  listRenewalPolicies,
  type PolicyChannelView,
  type RenewalPolicyView,
} from "./view.ts";

const typeWords = wordsOf(NotificationTypeSchema);

export function renewalPolicyService(deps: {
  db: Database;
  clock: () => Date;
}): ServiceImpl<typeof RenewalPolicyService> {
  const { db, clock } = deps;

  async function read(id: string): Promise<RenewalPolicy> {
    const view = await findRenewalPolicy(db, id);
    if (!view) throw notFound("renewal policy", id);
    return message(view);
  }

  return {
    async listRenewalPolicies(request) {
      const { rows, ...page } = await listRenewalPolicies(db, request);
      return { ...page, data: rows.map(message) };
    },
    async getRenewalPolicy({ id }) {
      return { renewalPolicy: await read(id) };
    },
    async createRenewalPolicy(request, context) {
      const wanted = { ...request, channels: request.channels.map(channel) };
      return { renewalPolicy: await read(await createRenewalPolicy(db, callerOf(context), wanted)) };
    },
    async updateRenewalPolicy(request, context) {
      const wanted = { ...request, channels: request.channels.map(channel) };
      await updateRenewalPolicy(db, callerOf(context), wanted);
      return { renewalPolicy: await read(request.id) };
    },
    async deleteRenewalPolicy({ id }, context) {
      await archiveRenewalPolicy(db, callerOf(context), id, clock());
      return {};
    },
    async restoreRenewalPolicy({ id }, context) {
      await restoreRow(db, callerOf(context), renewalPolicyKind, id);
      return { renewalPolicy: await read(id) };
    },
  };
}

function channel({ notifierId, thresholdsDays, events }: PolicyChannel): PolicyChannelView {
  return { notifierId, thresholdsDays, events: events.map(typeWords.text) };
}

function message({ createdAt, updatedAt, archivedAt, channels, ...view }: RenewalPolicyView): RenewalPolicy {
  return create(RenewalPolicySchema, {
    ...view,
    channels: channels.map(({ events, ...told }) => ({ ...told, events: events.map(typeWords.value) })),
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
    ...(archivedAt ? { archivedAt: timestampFromDate(archivedAt) } : {}),
  });
}
