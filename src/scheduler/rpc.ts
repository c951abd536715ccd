import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { ScheduledTaskSchema, type SchedulerService } from "#gen/certctl/v1/scheduler_pb.ts";
import { recordAudit } from "../audit/record.ts";
import { callerOf } from "../auth/interceptor.ts";
import { notify } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import type { ScheduledTask } from "./task.ts";

export function schedulerService(deps: {
  db: Database;
  clock: () => Date;
  tasks: readonly ScheduledTask[];
}): ServiceImpl<typeof SchedulerService> {
  const { db, clock, tasks } = deps;
  return {
    async listScheduledTasks() {
      const rows = await db.$queryRaw<{ name: string; running: boolean }[]>`
        SELECT name, coalesce(lease_expires_at > now(), false) AS running FROM scheduled_tasks`;
      const stored = await db.scheduledTask.findMany();
      const data = tasks.map(({ name, title, everyMs }) => {
        const row = stored.find((candidate) => candidate.name === name);
        return create(ScheduledTaskSchema, {
          name,
          title,
          intervalSeconds: Math.round(everyMs / 1000),
          lastDurationMs: row?.lastDurationMs ?? 0,
          lastResult: row?.lastResult ?? "",
          lastError: row?.lastError ?? "",
          runs: row?.runs ?? 0,
          failures: row?.failures ?? 0,
          running: rows.find((candidate) => candidate.name === name)?.running ?? false,
          ...(row ? { nextRunAt: timestampFromDate(row.nextRunAt) } : {}),
          ...(row?.lastStartedAt ? { lastStartedAt: timestampFromDate(row.lastStartedAt) } : {}),
        });
      });
      return { data };
    },
    async runScheduledTask({ name }, context) {
      if (!tasks.some((task) => task.name === name)) throw notFound("scheduled task", name);
      await db.$transaction(async (tx) => {
        await tx.scheduledTask.update({ where: { name }, data: { nextRunAt: clock() } });
        await recordAudit(tx, callerOf(context), {
          action: "scheduled_task_requested",
          resourceType: "scheduled_task",
          resourceId: name,
        });
        await notify(tx, "schedule", name);
      });
      return { status: "accepted" };
    },
  };
}
