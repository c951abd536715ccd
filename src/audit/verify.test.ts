import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openAudit, type TestAudit } from "../../test/audit.ts";
import { type ControlPlane, openControlPlane } from "../../test/fixtures.ts";
import { spkiOf } from "../x509/keys.ts";
import { keyIdOf } from "./evidence.ts";

let plane: ControlPlane;
let audit: TestAudit;
beforeEach(async () => {
  plane = await openControlPlane();
  audit = await openAudit(plane);
  // Rows of the start, and two checkpoints over rows that are known.
  await audit.seal();
  await audit.write("one", "two", "three");
  await audit.seal();
  await audit.write("four", "five");
  await audit.seal();
});
afterEach(() => plane[Symbol.asyncDispose]());

async function seqOf(resourceId: string): Promise<bigint> {
  const row = (await audit.rows()).find((each) => each.resourceId === resourceId);
  if (row?.seq == null) throw new Error(`${resourceId} is not sealed`);
  return row.seq;
}

describe("verification", () => {
  test("finds nothing wrong where nothing is, and says what no checkpoint vouches for", async () => {
    await audit.write("six", "seven");
    const verdict = await audit.verify();
    expect(verdict).toMatchObject({ problems: [], checkpoints: 3, uncovered: 2 });
    expect(verdict.covered).toBe(await seqOf("five"));
  });

  test.each([
    ["actor", "'ak-innocent'"],
    ["actor_type", "'User'"],
    ["action", "'looked'"],
    ["resource_type", "'tset'"],
    ["resource_id", "'2'"],
    ["request_id", "'req'"],
    ["details", `'{"a": 1}'`],
    ["at", "at + interval '1 millisecond'"],
    ["id", "'audit-other'"],
  ])("finds a row whose %s was changed", async (column, value) => {
    const seq = await seqOf("two");
    await audit.tamper(`
      ALTER TABLE audit_seals DROP CONSTRAINT audit_seals_event_id_fkey;
      UPDATE audit_events SET ${column} = ${value} WHERE resource_id = 'two';
      UPDATE audit_seals SET event_id = (SELECT id FROM audit_events e WHERE NOT EXISTS
        (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id)) WHERE seq = ${seq} AND '${column}' = 'id'`);
    const { problems } = await audit.verify();
    expect(problems[0]).toMatch(new RegExp(`^row ${seq} \\(audit-[a-z0-9]+\\) was changed$`));
  });

  test("finds a changed row even where its own hash was changed with it", async () => {
    const seq = await seqOf("two");
    await audit.tamper(`
      UPDATE audit_events SET actor = 'ak-innocent' WHERE resource_id = 'two';
      UPDATE audit_seals SET hash = decode('00', 'hex') WHERE seq = ${seq}`);
    const { problems } = await audit.verify();
    expect(problems.at(-1)).toBe(
      `a row between ${seq - 1n} and ${seq + 1n} was changed: checkpoint ${seq + 1n} vouches for another content`,
    );
  });

  test("finds a missing row", async () => {
    const seq = await seqOf("two");
    await audit.tamper(`
      DELETE FROM audit_seals WHERE seq = ${seq};
      DELETE FROM audit_events WHERE resource_id = 'two'`);
    expect((await audit.verify()).problems).toEqual([`row ${seq} is missing`]);
  });

  test("finds the last row missing", async () => {
    const seq = await seqOf("five");
    await audit.tamper(`
      DELETE FROM audit_seals WHERE seq = ${seq};
      DELETE FROM audit_events WHERE resource_id = 'five'`);
    expect((await audit.verify()).problems).toEqual([`row ${seq} is missing`]);
  });

  test("finds rows that changed places", async () => {
    const seq = await seqOf("one");
    await audit.tamper(`
      UPDATE audit_seals SET event_id = 'x' || event_id WHERE false;
      ALTER TABLE audit_seals DROP CONSTRAINT audit_seals_event_id_fkey;
      DROP INDEX audit_seals_event_id_key;
      UPDATE audit_seals a SET event_id = b.event_id, hash = b.hash FROM audit_seals b
        WHERE a.seq IN (${seq}, ${seq + 1n}) AND b.seq IN (${seq}, ${seq + 1n}) AND a.seq <> b.seq`);
    expect((await audit.verify()).problems).not.toEqual([]);
  });

  test("finds a tail that was cut off with its checkpoints, by a checkpoint that was seen before", async () => {
    const seen = (await audit.verify()).last;
    const seq = await seqOf("four");
    await audit.tamper(`
      DELETE FROM audit_checkpoints WHERE seq >= ${seq};
      DELETE FROM audit_seals WHERE seq >= ${seq};
      DELETE FROM audit_events WHERE resource_id IN ('four', 'five')`);
    expect((await audit.verify()).problems).toEqual([]);
    const expected = { seq: seen?.seq ?? 0n, hash: seen?.hash.toString("hex") ?? "" };
    expect((await audit.verify({ expect: expected })).problems).toEqual([
      `the checkpoint ${expected.seq} that was seen before is not there: the end was cut off or rewritten`,
    ]);
    // Whoever holds the database can go on from the cut: the checkpoint that was seen is not among the new ones.
    await audit.write("new four", "new five");
    await audit.seal();
    expect((await audit.verify()).problems).toEqual([]);
    expect((await audit.verify({ expect: expected })).problems).toHaveLength(1);
  });

  test("takes a checkpoint that was seen before and is there", async () => {
    const { last } = await audit.verify();
    const expected = { seq: last?.seq ?? 0n, hash: last?.hash.toString("hex") ?? "" };
    expect((await audit.verify({ expect: expected })).problems).toEqual([]);
    const other = { ...expected, hash: "00" };
    expect((await audit.verify({ expect: other })).problems).toHaveLength(1);
  });

  test.each([
    ["a checkpoint that was changed", "UPDATE audit_checkpoints SET time = time + interval '1 s'"],
    ["a checkpoint in the middle that is missing", "DELETE FROM audit_checkpoints WHERE seq = $middle"],
    ["a first checkpoint that is missing", "DELETE FROM audit_checkpoints WHERE seq < $middle"],
    ["a wrong signature", "UPDATE audit_checkpoints SET signature = root || root WHERE seq = $middle"],
    ["another root", "UPDATE audit_checkpoints SET root = prev_hash WHERE seq = $middle"],
  ])("finds %s", async (_what, sql) => {
    const middle = (await seqOf("three")).toString();
    await audit.tamper(sql.replaceAll("$middle", middle));
    expect((await audit.verify()).problems).not.toEqual([]);
  });

  test("believes the pinned key only", async () => {
    const { privateKey: key } = generateKeyPairSync("ed25519");
    const { problems } = await audit.verify({ keys: [{ id: keyIdOf(spkiOf(key)), key }] });
    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain(`is signed by ${audit.key.id}, which is not a key that is believed`);
  });

  test("recomputes details with nested values, whatever the order of their keys", async () => {
    const details = { b: [1, { z: null, a: '\u2028"' }], a: 0.1, after: { é: true } };
    await plane.db.auditEvent.create({
      data: {
        id: "audit-nested",
        actor: "system",
        actorType: "System",
        action: "tested",
        resourceType: "test",
        resourceId: "nested",
        requestId: "",
        details,
      },
    });
    await audit.seal();
    expect((await audit.verify()).problems).toEqual([]);
  });
});
