import type { Database } from "../platform/database.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { evaluate, messageOf } from "./evaluate.ts";
import { isSettled, judge } from "./judge.ts";
import type { CertificateFacts, Check } from "./rule-type.ts";
import { factsAfter, liveRules, openViolations } from "./store.ts";

const batch = 200;
const mostExamples = 20;

/** In the API, and how a changed rule asks for it. */
export const policiesTaskName = "policies";

/** Holds every certificate to every rule. Returns how many had something to record. */
async function judgeAll(db: Database, now: Date, signal: AbortSignal): Promise<number> {
  const rules = await liveRules(db);
  let changed = 0;
  const settle = async (certificateId: string) => {
    signal.throwIfAborted();
    await db.$transaction((tx) => judge(tx, certificateId, now));
    changed++;
  };
  for await (const page of inventory(db)) {
    const open = await openViolations(
      db,
      page.map(({ id }) => id),
    );
    for (const facts of page) {
      const own = open.filter(({ certificateId }) => certificateId === facts.id);
      if (!isSettled(own, evaluate(rules, facts, now))) await settle(facts.id);
    }
  }
  // An archived certificate is held to nothing.
  const left = await db.policyViolation.findMany({
    where: { closedAt: null, certificate: { archivedAt: { not: null } } },
    select: { certificateId: true },
    distinct: ["certificateId"],
  });
  for (const { certificateId } of left) await settle(certificateId);
  return changed;
}

export interface DryRun {
  checked: number;
  violating: number;
  examples: { certificateId: string; certificateName: string; message: string }[];
}

/** What a rule would find if it were in force. Writes nothing. */
export async function dryRun(db: Database, check: Check, now: Date, signal: AbortSignal): Promise<DryRun> {
  const result: DryRun = { checked: 0, violating: 0, examples: [] };
  for await (const page of inventory(db)) {
    signal.throwIfAborted();
    result.checked += page.length;
    for (const facts of page) {
      const offences = check(facts, now);
      if (offences.length === 0) continue;
      result.violating++;
      if (result.examples.length >= mostExamples) continue;
      const { id: certificateId, name: certificateName } = facts;
      result.examples.push({ certificateId, certificateName, message: messageOf(offences) });
    }
  }
  return result;
}

/** Every live certificate, some at a time. */
async function* inventory(db: Database): AsyncGenerator<CertificateFacts[]> {
  let after = "";
  for (;;) {
    const page = await factsAfter(db, after, batch);
    if (page.length > 0) yield page;
    if (page.length < batch) return;
    after = page.at(-1)?.id ?? after;
  }
}

/** The rules over the inventory, as the scheduler runs them. */
export function policiesTask(db: Database, everyMs: number): ScheduledTask {
  return {
    name: policiesTaskName,
    title: "Holds certificates to the policy rules",
    everyMs,
    run: async (now, signal) => `${await judgeAll(db, now, signal)} certificates changed`,
  };
}
