import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { type ListedPage, type ListShape, listPage } from "../platform/listing.ts";

/** An order that a CA took and has not signed yet. */
export interface WaitingOrder {
  id: string;
  reference: string;
  message: string;
  pollAt: Date | null;
  createdAt: Date;
  jobId: string;
  certificateId: string;
  certificateName: string;
}

/** Those of jobs that still wait for them: a job that was cancelled or took another key waits for none. */
const shape: ListShape = {
  view: Prisma.sql`
    SELECT o.id, o.issuer_id AS "issuerId", o.reference, o.message, o.poll_at AS "pollAt", o.created_at AS "createdAt",
      j.id AS "jobId", c.id AS "certificateId", c.name AS "certificateName"
    FROM issuer_orders o
    JOIN jobs j ON j.id = o.job_id AND j.key_id = o.key_id AND j.status = 'Running'
    JOIN managed_certificates c ON c.id = j.certificate_id
    WHERE o.reference <> ''`,
  columns: { created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" } },
  defaultSort: "created_at",
};

/** The orders that wait at an issuer, oldest first. */
export function listWaitingOrders(
  db: Database,
  { issuerId, ...request }: { issuerId: string; page: number; perPage: number; cursor: string },
): Promise<ListedPage<WaitingOrder>> {
  return listPage<WaitingOrder>(db, shape, { ...request, sort: "" }, [Prisma.sql`"issuerId" = ${issuerId}`]);
}
