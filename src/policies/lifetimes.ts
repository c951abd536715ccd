import { z } from "zod";
import { defineRuleType } from "./rule-type.ts";

const dayMs = 86_400_000;
const days = z.int().min(1).max(3_650);

/** By its plan, and in fact: the plan can be missed. */
export const renewalLeadTime = defineRuleType({
  type: "RenewalLeadTime",
  title: "Certificates are renewed so many days before their end",
  config: z.strictObject({ lead_time_days: days }),
  check(facts, { lead_time_days: lead }, now) {
    const { autoRenew, renewalWindowDays, validitySeconds, notAfter } = facts;
    const planned = Math.min(validitySeconds / 86_400 / 3, renewalWindowDays);
    if (autoRenew && planned < lead) {
      const description = `is to be renewed ${Math.floor(planned)} days before its end, which is less than ${lead}; a third of its lifetime and the policy's window limit that`;
      return [{ field: "renewal_policy_id", description }];
    }
    if (!notAfter || notAfter.getTime() - now.getTime() >= lead * dayMs) return [];
    const description = `ends on ${notAfter.toISOString()} and was not renewed ${lead} days before`;
    return [{ field: "", description }];
  },
});

/** As it is asked for, and as the CA made it. */
export const certificateLifetime = defineRuleType({
  type: "CertificateLifetime",
  title: "Certificates last so many days at most",
  config: z.strictObject({ max_days: days }),
  check({ validitySeconds, notBefore, notAfter }, { max_days: most }) {
    if (validitySeconds > most * 86_400) {
      const description = `${validitySeconds / 86_400} days is longer than ${most} days`;
      return [{ field: "validity_seconds", description }];
    }
    // The last second belongs to the lifetime (RFC 5280, 4.1.2.5).
    const lastsMs = notBefore && notAfter ? notAfter.getTime() - notBefore.getTime() + 1_000 : 0;
    if (lastsMs <= most * dayMs) return [];
    return [
      { field: "", description: `was issued for ${(lastsMs / dayMs).toFixed(1)} days, more than ${most}` },
    ];
  },
});
