import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Prisma } from "#gen/prisma/client.ts";
import { type ControlPlane, firstPage, openControlPlane, refusalOf } from "../../test/fixtures.ts";
import { contains, type ListShape, listPage } from "./listing.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
  const rows = ["b", "a", "c", "a", "b"].map((name, i) => ({
    id: `t-${i}`,
    name: `${name}${i}`,
    description: name,
  }));
  await plane.db.team.createMany({ data: rows });
});
afterAll(() => plane[Symbol.asyncDispose]());

const shape: ListShape = {
  view: Prisma.sql`SELECT id, description, created_at AS "createdAt" FROM teams`,
  columns: {
    description: { sql: Prisma.sql`description`, type: "text" },
    created_at: { sql: Prisma.sql`"createdAt"`, type: "timestamptz" },
    size: { sql: Prisma.sql`length(description)::bigint`, type: "bigint" },
  },
  defaultSort: "description",
};

const list = (changes: Partial<typeof firstPage>, conditions: Prisma.Sql[] = []) =>
  listPage<{ id: string }>(plane.db, shape, { ...firstPage, ...changes }, conditions);
const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);

describe("a list", () => {
  test("is sorted by its own order, or by the one that is asked for, ties by id", async () => {
    expect(ids((await list({})).rows)).toEqual(["t-1", "t-3", "t-0", "t-4", "t-2"]);
    expect(ids((await list({ sort: "-description" })).rows)).toEqual(["t-2", "t-4", "t-0", "t-3", "t-1"]);
  });

  test("counts all that match, whatever the page", async () => {
    const isB = Prisma.sql`description = 'b'`;
    expect(await list({ perPage: 1 }, [isB])).toMatchObject({ total: 2, page: 1, perPage: 1 });
    expect(ids((await list({ perPage: 1, page: 2 }, [isB])).rows)).toEqual(["t-4"]);
    expect(await list({ page: 9 })).toMatchObject({ total: 5, rows: [], nextCursor: "" });
  });

  test.each(["description", "-description", "created_at", "-created_at"])(
    "is walked by cursors in the order of %s, each row once, even when rows come and go",
    async (sort) => {
      const whole = ids((await list({ sort })).rows);
      const walked: string[] = [];
      let cursor = "";
      do {
        const page = await list({ sort: cursor === "" ? sort : "", cursor, perPage: 2 });
        walked.push(...ids(page.rows));
        // The row at the cursor goes and comes back: the walk does not depend on it.
        const last = page.rows.at(-1)?.id ?? "";
        const row = await plane.db.team.delete({ where: { id: last } });
        await plane.db.team.create({ data: row });
        cursor = page.nextCursor;
      } while (cursor !== "");
      expect(walked).toEqual(whole);
    },
  );

  test("refuses a sort that it does not know, and a cursor that it did not make, by name", async () => {
    expect(await refusalOf(list({ sort: "secret" }))).toMatchObject({
      code: "InvalidArgument",
      fields: ["sort"],
      message: expect.stringContaining("description, created_at"),
    });
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    for (const cursor of [
      "?",
      forged(1),
      forged(["created_at", "yesterdayish", "t-1"]),
      forged(["size", "9e99", "t-1"]),
      forged(["x", "", ""]),
    ]) {
      expect(await refusalOf(list({ cursor }))).toMatchObject({
        code: "InvalidArgument",
        fields: ["cursor"],
      });
    }
  });

  test("finds what a person typed anywhere, taking no character for a wildcard", async () => {
    await plane.db.team.create({ data: { id: "t-percent", name: "100%_sure", description: "z" } });
    const named = {
      ...shape,
      view: Prisma.sql`SELECT id, name, description, created_at AS "createdAt" FROM teams`,
    };
    const found = async (text: string) =>
      ids(
        (await listPage<{ id: string }>(plane.db, named, firstPage, [contains(text, [Prisma.sql`name`])]))
          .rows,
      );
    expect(await found("0%_S")).toEqual(["t-percent"]);
    expect(await found("%")).toEqual(["t-percent"]);
    expect(await found("A1")).toEqual(["t-1"]);
  });
});
