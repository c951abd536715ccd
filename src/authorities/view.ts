import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import {
  contains,
  type ListedPage,
  type ListRequest,
  type ListShape,
  listPage,
} from "../platform/listing.ts";

export interface AuthorityView {
  id: string;
  name: string;
  role: string;
  state: string;
  issuerId: string | null;
  issuerName: string | null;
  parentId: string | null;
  certificate: Uint8Array | null;
  csr: Uint8Array | null;
  keyPlace: string;
  validCertificates: number;
  revokedCertificates: number;
  crlNumber: bigint | null;
  crlThisUpdate: Date | null;
  crlNextUpdate: Date | null;
  crlEntries: number | null;
  createdAt: Date;
  activatedAt: Date | null;
}

const columns: ListShape["columns"] = {
  created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
  name: { sql: Prisma.sql`name`, type: "text" },
};

/** How each CA stands at a moment; the certificates tell when they end, so that expiry is judged by whoever reads them. */
function viewAt(now: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT a.id, a.name, a.role, a.issuer_id AS "issuerId", i.name AS "issuerName", a.parent_id AS "parentId",
      a.certificate, a.csr, a.key_place AS "keyPlace", a.created_at AS "createdAt", a.activated_at AS "activatedAt",
      counts.valid AS "validCertificates", counts.revoked AS "revokedCertificates",
      c.number AS "crlNumber", c.this_update AS "crlThisUpdate", c.next_update AS "crlNextUpdate", c.entries AS "crlEntries",
      CASE
        WHEN a.certificate IS NULL THEN 'Pending'
        WHEN a.key_place IN ('offline', 'elsewhere') THEN 'Offline'
        WHEN a.activated_at IS NULL OR a.id = (
          SELECT n.id FROM authorities n WHERE n.issuer_id = a.issuer_id AND n.activated_at IS NOT NULL
          ORDER BY n.activated_at DESC, n.created_at DESC, n.id DESC LIMIT 1) THEN 'Active'
        WHEN counts.valid + counts.revoked > 0 THEN 'Overlap'
        ELSE 'Retired'
      END AS state
    FROM authorities a
    LEFT JOIN issuers i ON i.id = a.issuer_id
    LEFT JOIN authority_crls c ON c.authority_id = a.id
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE v.revoked_at IS NULL)::int AS valid,
        count(*) FILTER (WHERE v.revoked_at IS NOT NULL)::int AS revoked
      FROM (
        SELECT revoked_at FROM certificate_versions WHERE authority_id = a.id AND not_after > ${now}
        UNION ALL
        SELECT revoked_at FROM recovered_certificates WHERE authority_id = a.id AND not_after > ${now}
      ) v
    ) counts`;
}

export function listAuthorities(
  db: Database,
  request: ListRequest & { q: string; issuerId: string },
  now: Date,
): Promise<ListedPage<AuthorityView>> {
  const shape = { view: viewAt(now), columns, defaultSort: "-created_at" };
  return listPage<AuthorityView>(db, shape, request, [
    ...(request.q ? [contains(request.q, [Prisma.sql`name`])] : []),
    ...(request.issuerId ? [Prisma.sql`"issuerId" = ${request.issuerId}`] : []),
  ]);
}

export async function findAuthority(db: Database, id: string, now: Date): Promise<AuthorityView | null> {
  const [row] = await db.$queryRaw<AuthorityView[]>`SELECT * FROM (${viewAt(now)}) items WHERE id = ${id}`;
  return row ?? null;
}
