import type { Transaction } from "../platform/database.ts";
import { raiseEvent } from "./raise.ts";

/** What was issued, as people are told of it. */
export interface IssuedNews {
  certificateId: string;
  versionId: string;
  serial: string;
  notAfter: Date;
}

/** Raises the event of each certificate that somebody is told about: most are issued without anybody's wanting to know. */
export async function raiseIssued(tx: Transaction, news: readonly IssuedNews[], now: Date): Promise<void> {
  const ids = news.map(({ certificateId }) => certificateId);
  const told = await tx.$queryRaw<{ id: string }[]>`
    SELECT c.id FROM managed_certificates c WHERE c.id = ANY(${ids}::text[]) AND (
      EXISTS (SELECT 1 FROM renewal_policy_channels ch WHERE ch.renewal_policy_id = c.renewal_policy_id)
      OR EXISTS (SELECT 1 FROM notification_events e WHERE e.certificate_id = c.id))`;
  const isTold = new Set(told.map(({ id }) => id));
  for (const each of news) {
    if (isTold.has(each.certificateId)) await raiseEvent(tx, { type: "CertificateIssued", ...each }, now);
  }
}
