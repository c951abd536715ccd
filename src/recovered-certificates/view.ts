import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type RecoveredCertificate,
  RecoveredCertificateSchema,
} from "#gen/certctl/v1/recovered_certificates_pb.ts";
import { Prisma } from "#gen/prisma/client.ts";
import { revocationReasons } from "../certificates/version-message.ts";
import type { Database } from "../platform/database.ts";
import { type ListedPage, type ListRequest, type ListShape, listPage } from "../platform/listing.ts";
import { timestamps } from "../platform/timestamps.ts";
import { contentOf } from "../x509/content.ts";
import { pem } from "../x509/pem.ts";

interface Row {
  id: string;
  authorityId: string;
  authorityName: string;
  serial: string;
  certificate: Uint8Array;
  revokedAt: Date | null;
  revocationReason: string;
  createdAt: Date;
}

const shape: ListShape = {
  view: Prisma.sql`
    SELECT r.id, r.authority_id AS "authorityId", a.name AS "authorityName", r.serial, r.certificate, r.not_after AS "notAfter",
      r.revoked_at AS "revokedAt", r.revocation_reason AS "revocationReason", r.created_at AS "createdAt"
    FROM recovered_certificates r JOIN authorities a ON a.id = r.authority_id`,
  columns: {
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    not_after: { sql: Prisma.sql`"notAfter"`, type: "timestamptz" },
  },
  defaultSort: "-created_at",
};

export async function listRecovered(
  db: Database,
  request: ListRequest & { authorityId: string },
): Promise<ListedPage<RecoveredCertificate>> {
  const { authorityId } = request;
  const conditions = authorityId ? [Prisma.sql`"authorityId" = ${authorityId}`] : [];
  const { rows, ...page } = await listPage<Row>(db, shape, request, conditions);
  return { ...page, rows: rows.map(messageOf) };
}

export async function findRecovered(db: Database, id: string): Promise<RecoveredCertificate | null> {
  const [row] = await db.$queryRaw<Row[]>`SELECT * FROM (${shape.view}) items WHERE id = ${id}`;
  return row ? messageOf(row) : null;
}

function messageOf(row: Row): RecoveredCertificate {
  const { id, authorityId, authorityName, serial, certificate, revokedAt } = row;
  const { subject, sans, fingerprintSha256, notBefore, notAfter } = contentOf(certificate);
  return create(RecoveredCertificateSchema, {
    ...{ id, authorityId, authorityName, subject, sans, fingerprintSha256 },
    serialNumber: serial,
    notBefore: timestampFromDate(notBefore),
    notAfter: timestampFromDate(notAfter),
    ...timestamps({ revokedAt }),
    ...(revokedAt ? { revocationReason: revocationReasons.value(row.revocationReason) } : {}),
    certificatePem: pem("CERTIFICATE", certificate),
    createdAt: timestampFromDate(row.createdAt),
  });
}
