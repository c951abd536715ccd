import type { Log } from "../platform/log.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import { type DeliverDeps, deliver } from "./deliver.ts";

const batch = 100;
const atOnce = 4;

/** Sends what is due and nobody sends: its task was lost, or the business clock has moved. */
export async function sendDue(
  deps: DeliverDeps & { log: Log },
  now: Date,
  signal: AbortSignal,
): Promise<number> {
  const { db, log } = deps;
  let sent = 0;
  let after = "";
  while (!signal.aborted) {
    const due = await db.$queryRaw<{ id: string }[]>`
      SELECT id FROM notification_events
      WHERE status IN ('pending', 'failed') AND next_attempt_at <= ${now} AND id > ${after}
        AND (lease_expires_at IS NULL OR lease_expires_at <= now())
      ORDER BY id LIMIT ${batch}`;
    const waiting = due.map(({ id }) => id);
    after = waiting.at(-1) ?? after;
    const work = async () => {
      for (let id = waiting.shift(); id !== undefined && !signal.aborted; id = waiting.shift()) {
        await deliver(deps, id, signal).catch((error: unknown) => {
          if (!signal.aborted) log.error({ err: error, id }, "a notification could not be sent");
        });
        sent++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (due.length < batch) break;
  }
  return sent;
}

/** The safety net under the queue, as the scheduler runs it. */
export function notificationsTask(deps: DeliverDeps & { log: Log }, everyMs: number): ScheduledTask {
  return {
    name: "notifications",
    title: "Sends notifications that wait",
    everyMs,
    run: async (now, signal) => `${await sendDue(deps, now, signal)} notifications tried`,
  };
}
