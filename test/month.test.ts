import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dayMs, doomed, healthy, type Month, manual, runMonth, stepMs } from "./month.ts";

/** Everything happens, and nothing happens twice. */

let parts: AsyncDisposableStack;
let rows: Month["rows"];
let mail: Month["mail"];
let hook: Month["hook"];
let workers: Month["workers"];
let expired: Month["expired"];

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  ({ rows, mail, hook, workers, expired } = await runMonth(parts));
}, 300_000);

afterAll(() => parts.disposeAsync());

describe("in a month of two control planes", () => {
  test("every certificate is renewed when a third of its life is left, once each time, and none dies", async () => {
    for (const name of healthy) {
      const versions = await rows<{ at: Date; job: string }>(
        "SELECT created_at AS at, job_id AS job FROM certificate_versions WHERE certificate_id = $1 ORDER BY created_at",
        [`mc-${name}`],
      );
      const gaps = versions
        .slice(1)
        .map(({ at }, i) => (at.getTime() - (versions[i]?.at.getTime() ?? 0)) / dayMs);
      expect(gaps.length, name).toBe(4);
      // A third of ten days before the end, at the next check, and up to two hours of jitter with the step after it.
      for (const gap of gaps) expect(gap).toBeGreaterThan(6.6);
      for (const gap of gaps) expect(gap).toBeLessThan(7.1);
      const jobs = await rows<{ type: string; status: string }>(
        "SELECT type, status FROM jobs WHERE certificate_id = $1 AND type IN ('Issuance', 'Renewal')",
        [`mc-${name}`],
      );
      expect(jobs).toHaveLength(versions.length);
      expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(["Completed"]));
    }
    expect(expired.filter((line) => healthy.some((name) => line.startsWith(`mc-${name} `)))).toEqual([]);
  });

  test("every version is deployed once, and every target looked at once a day", async () => {
    const deployments = await rows<{ count: number }>(
      "SELECT count(*)::int AS count FROM jobs WHERE type = 'Deployment' GROUP BY version_id, target_id",
    );
    expect(new Set(deployments.map(({ count }) => count))).toEqual(new Set([1]));
    const looks = await rows<{ id: string; at: Date }>(
      "SELECT certificate_id AS id, created_at AS at FROM jobs WHERE type = 'Validation' ORDER BY 1, 2",
    );
    expect(looks.length).toBeGreaterThan(healthy.length * 10);
    for (const [i, { id, at }] of looks.entries()) {
      const before = looks[i - 1];
      if (before?.id === id)
        expect(at.getTime() - before.at.getTime()).toBeGreaterThanOrEqual(dayMs - stepMs);
    }
  });

  test("each threshold of a certificate that people renew is told once on each channel", async () => {
    const alerts = await rows<{ id: string; days: number; notifier: string; count: number }>(
      `SELECT certificate_id AS id, threshold_days AS days, notifier_id AS notifier, count(*)::int AS count
       FROM notification_events WHERE type = 'CertificateExpiring' AND certificate_id = ANY($1) GROUP BY 1, 2, 3
       ORDER BY 1, 3, 2 DESC`,
      [manual.map((name) => `mc-${name}`)],
    );
    const expected = manual.flatMap((name) =>
      ["nf-hook", "nf-post"].flatMap((notifier) =>
        [14, 7, 3, 0].map((threshold) => ({ id: `mc-${name}`, days: threshold, notifier, count: 1 })),
      ),
    );
    expect(alerts).toEqual(expected);
  });

  test("a healthy certificate raises no alert; one that cannot be renewed fails once a day, and is told of each time", async () => {
    const alarmed = await rows<{ id: string }>(
      "SELECT DISTINCT certificate_id AS id FROM notification_events WHERE type IN ('CertificateExpiring', 'RenewalFailed') ORDER BY 1",
    );
    expect(alarmed.map(({ id }) => id)).toEqual([`mc-${doomed}`, ...manual.map((name) => `mc-${name}`)]);
    const [failures] = await rows<{ jobs: number; told: number }>(
      `SELECT (SELECT count(*)::int FROM jobs WHERE certificate_id = $1 AND status = 'Failed') AS jobs,
        (SELECT count(*)::int FROM notification_events WHERE certificate_id = $1 AND type = 'RenewalFailed') AS told`,
      [`mc-${doomed}`],
    );
    expect(failures?.told).toBe(2 * (failures?.jobs ?? 0));
    // From day 7 on, a day and up to a check, the jitter and a step apart.
    expect(failures?.jobs).toBeGreaterThanOrEqual(17);
    expect(failures?.jobs).toBeLessThanOrEqual(23);
    expect(expired.some((line) => line.startsWith(`mc-${doomed} `))).toBe(true);
  });

  test("a violation opens once and is told once on each channel", async () => {
    const violations = await rows<{ id: string; count: number }>(
      "SELECT certificate_id AS id, count(*)::int AS count FROM policy_violations GROUP BY 1 ORDER BY 1",
    );
    expect(violations).toEqual(manual.map((name) => ({ id: `mc-${name}`, count: 1 })));
    const [told] = await rows<{ count: number }>(
      "SELECT count(*)::int AS count FROM notification_events WHERE type = 'PolicyViolation'",
    );
    expect(told?.count).toBe(2 * manual.length);
  });

  test("everything that was told was sent once: as many mails and calls as notifications, no two alike", async () => {
    const sent = await rows<{ notifier: string; id: string; status: string }>(
      "SELECT notifier_id AS notifier, id, status FROM notification_events",
    );
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set(["sent"]));
    const of = (notifier: string) => sent.filter((row) => row.notifier === notifier);
    expect(of("nf-post").length).toBeGreaterThan(40);
    expect(mail.mails).toHaveLength(of("nf-post").length);
    expect(new Set(mail.mails.map(({ raw }) => /^message-id: .*$/im.exec(raw)?.[0])).size).toBe(
      mail.mails.length,
    );
    const ids = hook.received.map(({ body }) => JSON.parse(body).id);
    expect(ids.sort()).toEqual(
      of("nf-hook")
        .map(({ id }) => id)
        .sort(),
    );
  });

  test("both control planes did their share, also the one that replaced the killed one", () => {
    for (const [name, replicas] of workers) expect(replicas.size, name).toBeGreaterThanOrEqual(2);
    expect(new Set([...workers.values()].flatMap((replicas) => [...replicas])).size).toBe(3);
  });
});
