import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Owner, OwnerSchema, type OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { archiveOwner, createOwner, restoreOwner, updateOwner } from "./manage.ts";
import { findOwner, listOwners, type OwnerView } from "./view.ts";

export function ownerService(deps: { db: Database; clock: () => Date }): ServiceImpl<typeof OwnerService> {
  const { db, clock } = deps;

  async function read(id: string): Promise<Owner> {
    const view = await findOwner(db, id);
    if (!view) throw notFound("owner", id);
    return message(view);
  }

  return {
    async listOwners(request) {
      const { rows, ...page } = await listOwners(db, request);
      return { ...page, data: rows.map(message) };
    },
    async getOwner({ id }) {
      return { owner: await read(id) };
    },
    async createOwner(request, context) {
      return { owner: await read(await createOwner(db, callerOf(context), request)) };
    },
    async updateOwner(request, context) {
      await updateOwner(db, callerOf(context), request);
      return { owner: await read(request.id) };
    },
    async deleteOwner({ id }, context) {
      await archiveOwner(db, callerOf(context), id, clock());
      return {};
    },
    async restoreOwner({ id }, context) {
      await restoreOwner(db, callerOf(context), id);
      return { owner: await read(id) };
    },
  };
}

function message({ createdAt, updatedAt, archivedAt, ...view }: OwnerView): Owner {
  return create(OwnerSchema, {
    ...view,
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
    ...(archivedAt ? { archivedAt: timestampFromDate(archivedAt) } : {}),
  });
}
