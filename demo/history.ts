import { sealTask } from "../src/audit/seal.ts";
import { validationTask } from "../src/certificates/validation-schedule.ts";
import { expiryAlertsTask } from "../src/notifications/expiry-alerts.ts";
import { notificationsTask } from "../src/notifications/sweep.ts";
import { policiesTask } from "../src/policies/inventory.ts";
import { renewalTask } from "../src/renewals/check.ts";
import type { ScheduledTask } from "../src/scheduler/task.ts";
import { declareOrganisation, doAsPeople } from "./declare.ts";
import { days } from "./estate.ts";
import { workOnDay } from "./fleet.ts";
import type { World } from "./world.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;
const never = new AbortController().signal;
/** Validations are made every other week. */
const validationDays = 14;

/** Lives through every day, by the code that would have run then. */
export async function liveThrough(world: World, start: Date, tell: (day: number) => void): Promise<void> {
  const { past, pool } = world;
  const seal = sealTask({ db: world.db, key: world.auditKey, log: world.log }, dayMs);
  await past.during(start, () => declareOrganisation(world));
  for (let day = 0; day <= days; day += 1) {
    const at = (minutes: number) => new Date(start.getTime() + day * dayMs + minutes * minuteMs);
    await past.during(at(30), async () => {
      await doAsPeople(world, day);
      await run(morningTasks(world, day), world);
    });
    // Renewals are spread over the hour that follows.
    await past.during(at(100), async () => {
      await workOnDay(world, day);
      await notificationsTask(world, dayMs).run(world.clock(), never);
    });
    await run([seal], world);
    tell(day);
  }
  await past.end();
  // What the queue was to do is done already.
  await pool.query("DELETE FROM graphile_worker._private_jobs");
}

function morningTasks({ db, log }: World, day: number): ScheduledTask[] {
  const early = { share: 0.1, atLeast: 50 };
  return [
    renewalTask({ db, log, jitterMs: 60 * minuteMs, early }, dayMs),
    ...(day % validationDays === 0 ? [validationTask(db, dayMs)] : []),
    expiryAlertsTask(db, dayMs),
    policiesTask(db, dayMs),
  ];
}

async function run(tasks: readonly ScheduledTask[], { clock }: World): Promise<void> {
  for (const task of tasks) await task.run(clock(), never);
}
