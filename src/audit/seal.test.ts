import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openAudit, type TestAudit } from "../../test/audit.ts";
import { type ControlPlane, openControlPlane } from "../../test/fixtures.ts";
import { createSealer } from "../platform/seal.ts";
import { openAuditKey } from "./key.ts";
import { recordAudit, system } from "./record.ts";
import { sealTask, unsealed } from "./seal.ts";

let plane: ControlPlane;
let audit: TestAudit;
beforeEach(async () => {
  plane = await openControlPlane();
  audit = await openAudit(plane);
});
afterEach(() => plane[Symbol.asyncDispose]());

/** A transaction of its own connection that writes a row and stays open until it is ended. */
async function openWriter(resourceId: string): Promise<{ end(how?: "COMMIT" | "ROLLBACK"): Promise<void> }> {
  const client = await plane.pool.connect();
  await client.query("BEGIN");
  await client.query(
    `INSERT INTO audit_events (id, actor, actor_type, action, resource_type, resource_id, details, request_id)
     VALUES ('audit-' || $1, 'system', 'System', 'tested', 'test', $1, '{}', '')`,
    [resourceId],
  );
  return {
    async end(how = "COMMIT") {
      await client.query(how);
      client.release();
    },
  };
}
const sealedIds = async () =>
  (await audit.rows()).filter(({ seq }) => seq !== null).map(({ resourceId }) => resourceId);

describe("sealing", () => {
  test("numbers rows without a gap, from one checkpoint to the next", async () => {
    const first = await audit.seal();
    expect(first).toMatchObject({
      seq: BigInt(first?.count ?? 0),
      time: plane.time.now,
      keyId: audit.key.id,
    });
    await audit.write("a", "b");
    const second = await audit.seal();
    expect(second).toMatchObject({ seq: (first?.seq ?? 0n) + 2n, count: 2, prevHash: first?.hash });
    expect((await audit.rows()).map(({ seq }) => seq)).toEqual(
      Array.from({ length: Number(second?.seq) }, (_, index) => BigInt(index + 1)),
    );
    expect(await audit.seal()).toBeNull();
  });

  test("waits for a transaction that began before and is still open", async () => {
    await audit.seal();
    const early = await openWriter("early");
    await audit.write("late");
    expect(await audit.seal()).toBeNull();
    expect(await unsealed(plane.db)).toMatchObject({ count: 1 });
    await early.end();
    expect(await audit.seal()).toMatchObject({ count: 2 });
    expect((await sealedIds()).slice(-2)).toEqual(["early", "late"]);
  });

  test("goes on after a transaction that rolled back", async () => {
    await audit.seal();
    const early = await openWriter("early");
    await audit.write("late");
    await early.end("ROLLBACK");
    expect(await audit.seal()).toMatchObject({ count: 1 });
    expect((await audit.verify()).problems).toEqual([]);
  });

  test("field note 10: is right under 8 writers at once, some of them slow", async () => {
    const held = [await openWriter("held-0"), await openWriter("held-1")];
    let isOver = false;
    const writer = async (name: number) => {
      for (let index = 0; index < 25; index += 1) {
        await plane.db.$transaction(async (tx) => {
          const write = (part: string) =>
            recordAudit(tx, system, {
              action: "tested",
              resourceType: "test",
              resourceId: `w${name}-${index}-${part}`,
            });
          await write("first");
          // Transactions end in another order than they began in.
          await tx.$executeRaw`SELECT pg_sleep(${((name * 7 + index * 3) % 5) / 500}::float8)`;
          await write("second");
        });
      }
    };
    const sealer = async () => {
      while (!isOver) await Promise.all([audit.seal(), audit.seal()]);
    };
    const sealing = sealer();
    const writing = Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)));
    await vi.waitFor(async () => expect(await plane.db.auditEvent.count()).toBeGreaterThan(100), 20_000);
    await held[0]?.end();
    await writing;
    await held[1]?.end("ROLLBACK");
    isOver = true;
    await sealing;
    await audit.seal();
    const verdict = await audit.verify();
    expect(verdict).toMatchObject({ problems: [], uncovered: 0 });
    expect(verdict.covered).toBe(BigInt(await plane.db.auditEvent.count()));
    const order = await plane.db.$queryRaw<{ isSorted: boolean }[]>`
      SELECT (e.epoch, e.xid, e.position) > lag((e.epoch, e.xid, e.position)) OVER (ORDER BY s.seq) AS "isSorted"
      FROM audit_seals s JOIN audit_events e ON e.id = s.event_id`;
    expect(order.filter(({ isSorted }) => isSorted === false)).toEqual([]);
  });

  test("puts what another PostgreSQL wrote before what this one writes, though its transaction numbers are lower", async () => {
    await audit.seal();
    await audit.write("old");
    await audit.tamper("UPDATE audit_events SET xid = 4000000000000 WHERE resource_id = 'old'");
    await plane.db.$executeRaw`UPDATE installation SET db_epoch = db_epoch + 1`;
    await audit.write("new");
    expect(await audit.seal("all")).toMatchObject({ count: 2 });
    expect((await sealedIds()).slice(-2)).toEqual(["old", "new"]);
    expect((await audit.verify()).problems).toEqual([]);
  });

  test("takes up a row that was left behind, when a process looks for the first time", async () => {
    await audit.seal();
    await audit.write("left behind");
    await audit.tamper("UPDATE audit_events SET xid = 1 WHERE resource_id = 'left behind'");
    expect(await audit.seal("newer")).toBeNull();
    const { db, log, time } = plane;
    const task = sealTask({ db, key: audit.key, log }, 60_000);
    const never = new AbortController().signal;
    expect(await task.run(time.now, never)).toBe("sealed 1 rows, 0 are not settled yet");
    expect((await sealedIds()).at(-1)).toBe("left behind");
  });

  test("tells every checkpoint to the log, which lies elsewhere", async () => {
    const lines: object[] = [];
    const log = { ...plane.log, info: (line: object) => lines.push(line) } as unknown as typeof plane.log;
    await sealTask({ db: plane.db, key: audit.key, log }, 1000).run(
      plane.time.now,
      new AbortController().signal,
    );
    const { last } = await audit.verify();
    expect(lines).toEqual([
      expect.objectContaining({
        seq: String(last?.seq),
        hash: last?.hash.toString("hex"),
        keyId: audit.key.id,
      }),
    ]);
  });
});

describe("the checkpoint key", () => {
  test("is made once and sealed for its place", async () => {
    const sealer = createSealer(randomBytes(32));
    const own = await openControlPlane();
    const keys = await Promise.all([openAuditKey(own.db, sealer), openAuditKey(own.db, sealer)]);
    expect(keys[0]?.id).toBe(keys[1]?.id);
    expect(await own.db.auditKey.count()).toBe(1);
    await expect(openAuditKey(own.db, createSealer(randomBytes(32)))).rejects.toThrow("sealed with another");
    await own[Symbol.asyncDispose]();
  });
});
