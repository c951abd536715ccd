import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { issueRequest, testContext } from "../../test/issuer-context.ts";
import { openssl } from "../../test/openssl.ts";
import { temporaryDirectory } from "../../test/site.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { serverCommands } from "../server-commands/server-commands.ts";
import { readCsr } from "../x509/csr.ts";
import { issuerByKind } from "./registry.ts";

const script = issuerByKind.get("script");
if (!script) throw new Error("there is no script issuer");

/** A CA of openssl alone, with a script that signs and answers the same for the same key. */
const signScript = `#!/bin/sh
set -eu
cd "$CA_HOME"
echo "$CERTCTL_ACTION $CERTCTL_KEY_ID \${CERTCTL_REFERENCE:-}" >> calls
[ -e "$CERTCTL_KEY_ID.pem" ] || {
  cat > "$CERTCTL_KEY_ID.csr"
  printf 'subjectAltName=%s\\n' "$CERTCTL_SUBJECT_ALT_NAME" > "$CERTCTL_KEY_ID.ext"
  openssl x509 -req -in "$CERTCTL_KEY_ID.csr" -CA ca.pem -CAkey ca.key -extfile "$CERTCTL_KEY_ID.ext" \\
    -days $((CERTCTL_VALIDITY_SECONDS / 86400)) -subj "/CN=$CERTCTL_COMMON_NAME" -out "$CERTCTL_KEY_ID.pem"
}
cat "$CERTCTL_KEY_ID.pem" ca.pem
`;

async function setUp(more: Record<string, string> = {}) {
  const directory = await temporaryDirectory();
  const home = directory.path;
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100 -subj /CN=Script-CA -keyout ${home}/ca.key -out ${home}/ca.pem`;
  await openssl(...made.split(" "));
  const scripts: Record<string, string> = { sign: signScript, ...more };
  const commands: Record<string, object> = {};
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(home, name), text, { mode: 0o755 });
    commands[name] = { argv: [join(home, name)], environment: { CA_HOME: home }, timeout_seconds: 20 };
  }
  const file = join(home, "server.yaml");
  await writeFile(file, stringify({ commands }), { mode: 0o600 });
  const context = testContext({ commands: serverCommands(file) });
  const read = (name: string) => readFile(join(home, name), "utf8");
  return { ...directory, context, read };
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
  await using at = await setUp({
    order: exits(13, "waits for approval", "order-7"),
    status: `#!/bin/sh\n[ -e "$CA_HOME/approved" ] || { echo "still waits" >&2; exit 13; }\nexec "$CA_HOME/sign"\n`,
  });
  const config = { command: "order", status_command: "status", poll_seconds: 7 };
  const request = issueRequest();
  expect(await script.issue(request, config, at.context)).toEqual({
    reference: "order-7",
    pollAfterMs: 7_000,
    message: "waits for approval",
  });
  expect(at.context.state).toEqual({ reference: "order-7" });
  const ask = () => script.orderStatus?.({ reference: "order-7" }, request, config, at.context);
  expect(await ask()).toMatchObject({ reference: "order-7", message: "still waits" });
  await writeFile(join(at.path, "approved"), "");
  expect(await ask()).toMatchObject({ authorityId: null });
  expect(await at.read("calls")).toBe(`status ${request.keyId} order-7\n`);
  const without = script.orderStatus?.({ reference: "order-7" }, request, { command: "order" }, at.context);
  await expect(without).rejects.toMatchObject({ failureClass: "Configuration" });
});

test("revokes by the command for that", async () => {
  await using at = await setUp({
    revoke: `#!/bin/sh\n{ echo "$CERTCTL_SERIAL $CERTCTL_REASON"; openssl x509 -noout -subject -nameopt RFC2253; } > "$CA_HOME/revoked"\n`,
  });
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
  expect(script.rootPem({ command: "sign", root }, at.context)).toBe(root);
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
  const context = { trustDomain: "x", ownNames: [] };
  expect(script.refuses(wanted, { command: "sign" }, context)).toMatchObject({ field: "sans" });
});
