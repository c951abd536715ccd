import type { Transaction } from "../platform/database.ts";
import { evaluate } from "./evaluate.ts";
import { findFacts, liveRules } from "./store.ts";

/** Why an enforced rule would refuse the certificate another issuer than it has, or null. */
export async function issuerRefusal(
  tx: Transaction,
  { certificateId, issuerId, now }: { certificateId: string; issuerId: string; now: Date },
): Promise<string | null> {
  const facts = await findFacts(tx, certificateId);
  if (!facts) return null;
  const enforced = (await liveRules(tx)).filter(({ mode }) => mode === "enforce");
  const offence = evaluate(enforced, { ...facts, issuerId }, now)
    .flatMap(({ rule, offences }) => offences.map((each) => ({ rule, ...each })))
    .find(({ field }) => field === "issuer_id");
  return offence ? `${offence.rule.name}: ${offence.description}` : null;
}
