import { create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { CertificateFilterSchema } from "#gen/certctl/v1/certificates_pb.ts";
import {
  type CreateSavedViewRequest,
  type SavedView as SavedViewMessage,
  SavedViewResourceSchema,
  SavedViewSchema,
  type SavedViewService,
  type UpdateSavedViewRequest,
} from "#gen/certctl/v1/saved_views_pb.ts";
import type { Actor } from "../audit/record.ts";
import { callerOf, mayUse } from "../auth/interceptor.ts";
import { countEach } from "../certificates/count.ts";
import { filterOf } from "../certificates/filter-message.ts";
import type { Database } from "../platform/database.ts";
import { invalid, notFound } from "../platform/errors.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import {
  archiveSavedView,
  createSavedView,
  type Keeper,
  restoreSavedView,
  type SavedViewWish,
  updateSavedView,
} from "./manage.ts";
import { findSavedView, listSavedViews, type SavedView } from "./view.ts";

const resources = wordsOf(SavedViewResourceSchema);

export function savedViewService({
  db,
  clock,
}: {
  db: Database;
  clock: () => Date;
}): ServiceImpl<typeof SavedViewService> {
  async function read(id: string, actor: Actor): Promise<SavedViewMessage> {
    const view = await findSavedView(db, actor.id, id);
    if (!view) throw notFound("saved view", id);
    const [message] = await messages([view], actor);
    return message as SavedViewMessage;
  }

  /** Views with the number of certificates that each shows, counted in one pass. */
  async function messages(views: readonly SavedView[], { grants }: Actor): Promise<SavedViewMessage[]> {
    const filters = views.map(({ filter }) => filter && fromJson(CertificateFilterSchema, filter));
    const counted = filters.flatMap((filter) => (filter ? [filterOf(filter, false)] : []));
    const counts = await countEach(db, grants, counted, clock());
    return views.map((view, index) => {
      const filter = filters[index];
      return message(view, filter ? { filter, count: counts.shift() ?? 0 } : {});
    });
  }

  return {
    async listSavedViews(request, context) {
      const actor = callerOf(context);
      const wanted = { resources: request.resource.map(resources.text), pinned: request.pinned };
      const { rows, ...page } = await listSavedViews(db, actor.id, request, wanted);
      return { ...page, data: await messages(rows, actor) };
    },
    async getSavedView({ id }, context) {
      return { savedView: await read(id, callerOf(context)) };
    },
    async createSavedView(request, context) {
      const id = await createSavedView(db, keeperOf(context), wish(request));
      return { savedView: await read(id, callerOf(context)) };
    },
    async updateSavedView(request, context) {
      await updateSavedView(db, keeperOf(context), wish(request));
      return { savedView: await read(request.id, callerOf(context)) };
    },
    async deleteSavedView({ id }, context) {
      await archiveSavedView(db, keeperOf(context), id, clock());
      return {};
    },
    async restoreSavedView({ id }, context) {
      await restoreSavedView(db, keeperOf(context), id);
      return { savedView: await read(id, callerOf(context)) };
    },
  };
}

function keeperOf(context: HandlerContext): Keeper {
  return { actor: callerOf(context), mayShare: mayUse(context, "saved-views:share") };
}

function wish(request: CreateSavedViewRequest | UpdateSavedViewRequest): SavedViewWish {
  const { id, name, query, filter, shared, pinned, isDefault } = request;
  const resource = resources.text(request.resource) || "certificates";
  if (filter && resource !== "certificates")
    throw invalid({ field: "filter", description: "is for certificates only; leave it out" });
  const chosen = resource === "certificates" ? (filter ?? create(CertificateFilterSchema)) : null;
  const json = chosen && (toJson(CertificateFilterSchema, chosen) as JsonObject);
  return { id, name, resource, query, filter: json, shared, pinned, isDefault };
}

function message(
  { resource, createdAt, updatedAt, archivedAt, filter: _, ...view }: SavedView,
  counted: Pick<SavedViewMessage, "filter" | "count"> | object,
): SavedViewMessage {
  return create(SavedViewSchema, {
    ...view,
    ...counted,
    resource: resources.value(resource),
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
    ...timestamps({ archivedAt }),
  });
}
