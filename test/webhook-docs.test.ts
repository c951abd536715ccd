import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { webhook } from "../src/notifiers/webhook.ts";
import { createEgress } from "../src/platform/egress.ts";
import { notice } from "./notice.ts";
import { startReceiver } from "./receiver.ts";

/** What docs/notifications.md tells receivers to do holds against what is really sent. */

let parts: AsyncDisposableStack;
beforeAll(() => {
  parts = new AsyncDisposableStack();
});
afterAll(() => parts.disposeAsync());

type IsGenuine = (headers: object, body: string, secret: string, now: number) => boolean;

async function documented(): Promise<IsGenuine> {
  const text = await readFile(join(import.meta.dirname, "../docs/notifications.md"), "utf8");
  const code = /```js\n(.*?)```/s.exec(text)?.[1];
  if (!code) throw new Error("docs/notifications.md has no example");
  const directory = await mkdtemp(join(tmpdir(), "certctl-docs-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const path = join(directory, "verify.mjs");
  await writeFile(path, code);
  return (await import(/* @vite-ignore */ path)).isGenuine;
}

test("the documented verification takes what was sent and nothing else", async () => {
  const isGenuine = await documented();
  const receiver = parts.use(await startReceiver());
  const secret = "a secret of the receiver";
  const now = new Date("2030-06-01T12:00:00Z");
  const context = {
    signal: new AbortController().signal,
    egress: createEgress(["127.0.0.0/8", "::1/128"]),
    now,
  };
  await webhook.send(notice({ subject: "Grüße" }), { url: receiver.url, secret, ca: receiver.ca }, context);
  const [sent] = receiver.received;
  if (!sent) throw new Error("nothing was sent");
  const { headers, body } = sent;
  const at = now.getTime();
  expect(isGenuine(headers, body, secret, at + 60_000)).toBe(true);
  expect(isGenuine(headers, body, "another secret", at)).toBe(false);
  expect(isGenuine(headers, `${body} `, secret, at)).toBe(false);
  expect(isGenuine(headers, body, secret, at + 301_000)).toBe(false);
  const later = String(at / 1000 + 301);
  expect(isGenuine({ ...headers, "x-certctl-timestamp": later }, body, secret, at + 301_000)).toBe(false);
  expect(isGenuine({}, body, secret, at)).toBe(false);
});
