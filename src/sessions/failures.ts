import { recordAudit } from "../audit/record.ts";
import { unrestricted } from "../auth/grants.ts";
import { parseToken } from "../auth/secrets.ts";
import { networkOf } from "../auth/throttle.ts";
import { createBuckets } from "../platform/buckets.ts";
import type { Database } from "../platform/database.ts";
import type { SignIn } from "./begin.ts";

/** Writes down that somebody could not sign in. */
export type RecordFailure = (signIn: SignIn, why: string) => Promise<void>;

/** Rows of one address, and of all: who guesses must not fill the audit, which nothing is ever removed from. */
const oneAddress = { perSecond: 1 / 60, burst: 3 };
const allAddresses = { perSecond: 1 / 10, burst: 30 };

/** What is left out is counted in the next row that is written. Counts on this replica only. */
export function createRecordFailure({ db, clock }: { db: Database; clock: () => Date }): RecordFailure {
  const byAddress = createBuckets({ ...oneAddress, clock });
  const together = createBuckets({ ...allAddresses, clock });
  let leftOut = 0;

  return async ({ apiKey, address, requestId }, why) => {
    if (byAddress.take(networkOf(address)) > 0 || together.take("") > 0) {
      leftOut += 1;
      return;
    }
    const before = leftOut;
    leftOut = 0;
    const actor = { type: "User", id: "unknown", requestId, grants: unrestricted } as const;
    await db.$transaction((tx) =>
      recordAudit(tx, actor, {
        action: "sign_in_failed",
        resourceType: "api_key",
        resourceId: parseToken(apiKey, "ak")?.id ?? "",
        details: { address, why, ...(before > 0 ? { left_out_before: before } : {}) },
      }),
    );
  };
}
