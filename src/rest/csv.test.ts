import { describe, expect, test } from "vitest";
import { csvHead, csvRow } from "./csv.ts";

const columns = ["id", "details", "seq"];

describe("CSV", () => {
  test("has a line of names and a line for each message", () => {
    expect(csvHead(columns)).toBe("id,details,seq\r\n");
    expect(csvRow(columns, { id: "a", details: { b: [1] }, seq: null })).toBe('a,"{""b"":[1]}",\r\n');
    expect(csvRow(columns, { id: true, details: "", seq: "17" })).toBe("true,,17\r\n");
  });

  test.each([
    ['say "a, b"', '"say ""a, b"""'],
    ["two\nlines", '"two\nlines"'],
    ["plain", "plain"],
  ])("quotes %j where it must", (text, cell) => {
    expect(csvRow(["id"], { id: text })).toBe(`${cell}\r\n`);
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", '=HYPERLINK("x","y")'])(
    "lets no spreadsheet run %j as a formula",
    (text) => {
      expect(csvRow(["id"], { id: text })).toMatch(/^"?'/);
    },
  );
});
