import type { JsonObject } from "@bufbuild/protobuf";
import { Prisma } from "#gen/prisma/client.ts";
import { type Grants, grantedCertificate } from "../auth/grants.ts";
import type { Database } from "../platform/database.ts";
import { type ListedPage, type ListShape, listPage } from "../platform/listing.ts";

/** An order, as lists have it. */
export interface ListedOrder {
  id: string;
  reference: string;
  message: string;
  pollAt: Date | null;
  createdAt: Date;
  jobId: string;
  certificateId: string;
  certificateName: string;
}

const columns = Prisma.sql`
  SELECT o.id, o.issuer_id AS "issuerId", o.reference, o.message, o.poll_at AS "pollAt", o.created_at AS "createdAt",
    j.id AS "jobId", c.id AS "certificateId", c.name AS "certificateName"`;
const sorting: Omit<ListShape, "view"> = {
  columns: { created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" } },
  defaultSort: "created_at",
};

/** Those of jobs that still wait for them: a job that was cancelled or took another key waits for none. */
const waiting: ListShape = {
  view: Prisma.sql`${columns}
    FROM issuer_orders o
    JOIN jobs j ON j.id = o.job_id AND j.key_id = o.key_id AND j.status = 'Running'
    JOIN managed_certificates c ON c.id = j.certificate_id
    WHERE o.reference <> ''`,
  ...sorting,
};

/** Whatever was ordered for a job, for each key that it had. */
const ordered: ListShape = {
  view: Prisma.sql`${columns}, o.state
    FROM issuer_orders o
    JOIN jobs j ON j.id = o.job_id
    JOIN managed_certificates c ON c.id = j.certificate_id`,
  ...sorting,
};

interface OrderFilter {
  issuerId: string;
  page: number;
  perPage: number;
  cursor: string;
}

/** The orders that wait at an issuer, oldest first. */
export function listWaitingOrders(
  db: Database,
  grants: Grants,
  { issuerId, ...request }: OrderFilter,
): Promise<ListedPage<ListedOrder>> {
  return listPage(db, waiting, { ...request, sort: "" }, [
    Prisma.sql`"issuerId" = ${issuerId}`,
    grantedCertificate(grants, Prisma.sql`"certificateId"`),
  ]);
}

/** What an issuer was asked for by a job, oldest first, with what its connector remembers. */
export function listOrdersOfJob(
  db: Database,
  grants: Grants,
  { issuerId, jobId, ...request }: OrderFilter & { jobId: string },
): Promise<ListedPage<ListedOrder & { state: JsonObject | null }>> {
  return listPage(db, ordered, { ...request, sort: "" }, [
    Prisma.sql`"issuerId" = ${issuerId} AND "jobId" = ${jobId}`,
    grantedCertificate(grants, Prisma.sql`"certificateId"`),
  ]);
}
