import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import type { StepName } from "./course.ts";
import { coursesOf } from "./store.ts";

/** How long each stage takes, in milliseconds; of a key's track, and of a lane by its target's kind. */
export interface Expectations {
  key: Durations;
  lanes: Map<string, Durations>;
}
type Durations = Map<StepName, number>;

const samples = 20;
/** With fewer than this of its own, a certificate is measured by others of its kind. */
const fewest = 3;

/** What the stages of a certificate's journey take in the middle of the last 20 times. */
export async function expectationsOf(
  db: Database,
  { id, issuerId, kinds }: { id: string; issuerId: string; kinds: readonly string[] },
): Promise<Expectations> {
  const key = await measure(
    db,
    Prisma.sql`j.type IN ('Issuance', 'Renewal') AND j.certificate_id = ${id}`,
    Prisma.sql`j.type IN ('Issuance', 'Renewal') AND v.issuer_id = ${issuerId}`,
  );
  const lanes = new Map<string, Durations>();
  for (const kind of new Set(kinds)) {
    lanes.set(
      kind,
      await measure(
        db,
        Prisma.sql`j.type = 'Deployment' AND t.kind = ${kind} AND j.certificate_id = ${id}`,
        Prisma.sql`j.type = 'Deployment' AND t.kind = ${kind}`,
      ),
    );
  }
  return { key, lanes };
}

async function measure(db: Database, own: Prisma.Sql, ofKind: Prisma.Sql): Promise<Durations> {
  const mine = await finished(db, own);
  const jobs = mine.length < fewest ? await finished(db, ofKind) : mine;
  const courses = await coursesOf(db, jobs, new Date(0));
  const took = new Map<StepName, number[]>();
  for (const { stages } of courses.values()) {
    for (const { step, startedAt, endedAt } of stages) {
      if (!startedAt || !endedAt) continue;
      took.set(step, [...(took.get(step) ?? []), Math.max(0, endedAt.getTime() - startedAt.getTime())]);
    }
  }
  return new Map(Array.from(took, ([step, ms]) => [step, median(ms)]));
}

async function finished(db: Database, condition: Prisma.Sql) {
  return db.$queryRaw<{ id: string; type: string; status: string; runAfter: Date }[]>`
    SELECT j.id, j.type, j.status, j.run_after AS "runAfter" FROM jobs j
    LEFT JOIN deployment_targets t ON t.id = j.target_id
    LEFT JOIN certificate_versions v ON v.id = j.version_id
    WHERE j.status = 'Completed' AND ${condition} ORDER BY j.created_at DESC, j.id DESC LIMIT ${samples}`;
}

/** The middle one; of an even number, the lower middle one: a duration that was measured. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
