import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { z } from "zod";
import {
  type Issuer as IssuerMessage,
  IssuerSchema,
  type IssuerService,
} from "#gen/certctl/v1/issuers_pb.ts";
import type { Issuer as IssuerRow } from "#gen/prisma/client.ts";
import type { Authorities } from "../authorities/authority.ts";
import { authorityPem, rootOf } from "../authorities/authority.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { pageOf } from "../platform/paging.ts";
import { issuers } from "./registry.ts";

export function issuerService(deps: {
  db: Database;
  authorities: Authorities;
}): ServiceImpl<typeof IssuerService> {
  const { db, authorities } = deps;
  const rootPem = authorityPem(rootOf(authorities.byRole["issuing-ca"]));
  const message = (row: IssuerRow): IssuerMessage =>
    create(IssuerSchema, {
      id: row.id,
      name: row.name,
      kind: row.kind,
      config: row.config as JsonObject,
      rootPem,
      createdAt: timestampFromDate(row.createdAt),
    });
  return {
    async listIssuers(request) {
      const { page, perPage, skip, take } = pageOf(request);
      const [total, rows] = await Promise.all([
        db.issuer.count(),
        db.issuer.findMany({ orderBy: [{ createdAt: "desc" }, { id: "asc" }], skip, take }),
      ]);
      return { data: rows.map(message), total, page, perPage };
    },
    async getIssuer({ id }) {
      const row = await db.issuer.findUnique({ where: { id } });
      if (!row) throw notFound("issuer", id);
      return { issuer: message(row) };
    },
    listIssuerKinds() {
      const data = issuers.map(({ kind, title, config }) => ({
        kind,
        title,
        configSchema: z.toJSONSchema(config) as JsonObject,
      }));
      return { data };
    },
  };
}
