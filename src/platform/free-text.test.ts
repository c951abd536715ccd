import { expect, test } from "vitest";
import { freeText } from "./free-text.ts";

const body = "MIGHAgEAMBMGByqGSM49";

test.each([
  ["whole", `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`],
  ["encrypted", `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${body}\n-----END ENCRYPTED PRIVATE KEY-----`],
  ["traditional", `-----BEGIN EC PRIVATE KEY-----\r\n${body}\r\n-----END EC PRIVATE KEY-----`],
  ["without its end", `-----BEGIN RSA PRIVATE KEY-----\n${body}`],
  ["without its beginning", `${body}\n-----END PRIVATE KEY-----`],
  ["with NULs in its marks", `-----BEGIN\0 PRIVATE KEY-----\n${body}\n-----END PRIVATE\0 KEY-----`],
])("removes a private key %s", (_what, pem) => {
  const text = freeText(`before\n${pem}`);
  expect(text).not.toContain(body);
  expect(text).toContain("[private key removed]");
});

test("keeps what stands between two keys", () => {
  const pem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`;
  expect(freeText(`a ${pem} b ${pem} c`)).toBe("a [private key removed] b [private key removed] c");
});

test("keeps the end of long text and no control characters", () => {
  const text = freeText(`${"x".repeat(10_000)}\u001b[31mthe end\0`);
  expect(text).toHaveLength(8192);
  expect(text.endsWith("[31mthe end")).toBe(true);
});
