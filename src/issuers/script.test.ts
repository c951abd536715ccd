import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { issueRequest, testContext } from "../../test/issuer-context.ts";
import { makeScriptCa } from "../../test/script-ca.ts";
import { temporaryDirectory } from "../../test/site.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { serverCommands } from "../server-commands/server-commands.ts";
import { readCsr } from "../x509/csr.ts";
import { issuerByKind } from "./registry.ts";

const script = issuerByKind.get("script");
if (!script) throw new Error("there is no script issuer");

async function setUp(more: Record<string, string> = {}) {
  const directory = await temporaryDirectory();
  const ca = await makeScriptCa(directory.path, join(directory.path, "server.yaml"), more);
  return { ...directory, ...ca, context: testContext({ commands: serverCommands(ca.file) }) };
}

const exits = (code: number, words: string, output = "") =>
  `#!/bin/sh\nprintf '%s' '${output}'\necho '${words}' >&2\nexit ${code}\n`;

test("has a CSR signed by whatever the command asks, for the names, the time and the key that it is told", async () => {
  await using at = await setUp();
  const request = issueRequest(["site.example", "10.0.0.7"]);
  const issued = await script.issue(request, { command: "sign" }, at.context);
  if ("pollAfterMs" in issued) throw new Error("it signs at once");
  checkAnswer(issued, { spki: readCsr(request.csr).spki, sans: request.sans, now: new Date() });
  const leaf = new X509Certificate(issued.leafDer);
  expect(leaf.subject).toBe("CN=site.example");
  expect((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000).toBe(46);
  expect(new X509Certificate(issued.rootPem).subject).toBe("CN=Script-CA");
  const again = await script.issue(request, { command: "sign" }, at.context);
  expect(again).toEqual(issued);
  expect(await at.read("calls")).toBe(`issue ${request.keyId} \n`.repeat(2));
});

test.each([
  [10, "Refused"],
  [11, "RateLimited"],
  [12, "Configuration"],
  [14, "Network"],
  [1, "Internal"],
  [127, "Internal"],
])("takes the exit code %i for %s", async (code, failureClass) => {
  await using at = await setUp({ fails: exits(code, "the CA says no", "90") });
  const failed = script.issue(issueRequest(), { command: "fails" }, at.context);
  await expect(failed).rejects.toMatchObject({
    message: `fails ended with ${code}: the CA says no`,
    failureClass,
    retryAfterMs: code === 11 ? 90_000 : null,
  });
});

test("leaves an order pending, and asks for it by its reference", async () => {
  await using at = await setUp();
  const config = { command: "order", status_command: "status", poll_seconds: 7 };
  const request = issueRequest();
  expect(await script.issue(request, config, at.context)).toEqual({
    reference: "order-7",
    pollAfterMs: 7_000,
    message: "waits for approval",
  });
  expect(at.context.state).toEqual({ reference: "order-7" });
  const ask = () => script.orderStatus?.({ reference: "order-7" }, request, config, at.context);
  expect(await ask()).toMatchObject({ reference: "order-7", message: "still waits for approval" });
  await at.approve();
  expect(await ask()).toMatchObject({ authorityId: null });
  expect(await at.read("calls")).toBe(`status ${request.keyId} order-7\n`);
  const without = script.orderStatus?.({ reference: "order-7" }, request, { command: "order" }, at.context);
  await expect(without).rejects.toMatchObject({ failureClass: "Configuration" });
});

test("revokes by the command for that", async () => {
  await using at = await setUp();
  const issued = await script.issue(issueRequest(), { command: "sign" }, at.context);
  if ("pollAfterMs" in issued) throw new Error("it signs at once");
  const { leafDer, rootPem } = issued;
  const serial = new X509Certificate(leafDer).serialNumber;
  const wanted = {
    leafDer,
    issuerDer: new X509Certificate(rootPem).raw,
    serial,
    reason: "KeyCompromise",
    authorityId: null,
    now: new Date(),
  } as const;
  await script.revoke?.(wanted, { command: "sign", revoke_command: "revoke" }, at.context);
  expect(await at.read("revoked")).toBe(`${serial} KeyCompromise\nsubject=CN=site.example\n`);
  await expect(script.revoke?.(wanted, { command: "sign" }, at.context)).rejects.toThrow("no revoke_command");
});

test("is tested by its own command, or by whether its commands are there", async () => {
  await using at = await setUp({ ping: exits(0, "", "the CA is up"), broken: exits(12, "no token") });
  const ask = (config: object) => script.test({ command: "sign", ...config }, at.context);
  expect(await ask({})).toBe("server.yaml has sign; it was not run");
  expect(await ask({ test_command: "ping" })).toBe("the CA is up");
  await expect(ask({ test_command: "broken" })).rejects.toThrow("broken ended with 12: no token");
  await expect(ask({ revoke_command: "gone" })).rejects.toThrow("has no command gone");
});

test("trusts the root that it is given, and no other", async () => {
  await using at = await setUp();
  await using other = await setUp();
  const root = await at.read("ca.pem");
  expect(script.rootPem({ command: "sign", root }, { ...at.context, signingCa: null })).toBe(root);
  await expect(script.issue(issueRequest(), { command: "sign", root }, at.context)).resolves.toMatchObject({
    rootPem: new X509Certificate(root).toString(),
  });
  const wrong = script.issue(
    issueRequest(),
    { command: "sign", root: await other.read("ca.pem") },
    at.context,
  );
  await expect(wrong).rejects.toMatchObject({ failureClass: "Configuration" });
});

test("refuses names that its environment cannot carry", () => {
  const wanted = { sans: ["https://a.example/x,y"], keyAlgorithm: "ECDSA-P256", validitySeconds: 1 };
  const context = { trustDomain: "x", ownNames: [], signingCa: null, pkiUrl: null };
  expect(script.refuses(wanted, { command: "sign" }, context)).toMatchObject({ field: "sans" });
});
