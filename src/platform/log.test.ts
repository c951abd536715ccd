import { expect, test } from "vitest";
import { createLog } from "./log.ts";

test("a line says what went wrong and where, and nothing that was sent", () => {
  const lines: string[] = [];
  const log = createLog("info", { write: (line) => void lines.push(line) });
  const secret = "hooks.example.test/T0/s3cr3t";
  try {
    new URL(secret);
  } catch (error) {
    log.error({ err: error, token: "jt-a_secret", row: { password: "s3cr3t" } }, "it failed");
  }
  expect(lines.join("")).not.toContain("s3cr3t");
  expect(lines.join("")).not.toContain("jt-a_secret");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    msg: "it failed",
    err: {
      type: "TypeError",
      message: "Invalid URL",
      code: "ERR_INVALID_URL",
      stack: expect.stringContaining("log.test.ts"),
    },
  });
});
