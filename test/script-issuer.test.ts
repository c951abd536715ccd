import { X509Certificate } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { freePort } from "./free-port.ts";
import { openssl } from "./openssl.ts";
import { runProcess } from "./process.ts";
import { makeScriptCa } from "./script-ca.ts";
import { type StagedSystem, stageSystem } from "./stage-system.ts";

/** Commands as issuers, through whole systems: a real CA behind one, and control planes that are killed. */

const example = join(import.meta.dirname, "../docs/examples/cfssl-issuer.sh");

async function createIssuer({ system, certificateId }: StagedSystem, config: object): Promise<void> {
  const issuer = await system.rest("POST", "/api/v1/issuers", { name: "behind", kind: "script", config });
  expect(issuer.status).toBe(201);
  const { body } = await system.rest("GET", `/api/v1/certificates/${certificateId}`);
  const { name, common_name, sans, target_ids } = body;
  const wanted = { name, common_name, sans, target_ids, issuer_id: issuer.body.id };
  expect((await system.rest("PUT", `/api/v1/certificates/${certificateId}`, wanted)).status).toBe(200);
}

/** As if the half minute had passed that an order of a dead process is left to it. */
async function endOrderLeases(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query("UPDATE issuer_orders SET lease_expires_at = now() WHERE lease_id IS NOT NULL");
  await client.end();
}

test("cfssl signs what a web server serves, by the command in docs/examples", {
  timeout: 60_000,
}, async () => {
  await using staged = await stageSystem();
  const { system, certificateId } = staged;
  const home = join(system.directory, "cfssl");
  await mkdir(home);
  const place = (name: string) => join(home, name);
  await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", place("ca.key"));
  const made = `req -x509 -new -key ${place("ca.key")} -days 100 -subj /CN=cfssl-root -out ${place("ca.pem")}`;
  await openssl(...made.split(" "));
  const auth_keys = { certctl: { type: "standard", key: "0123456789ABCDEF0123456789ABCDEF" } };
  const profile = { expiry: "1104h", usages: ["digital signature", "server auth"], auth_key: "certctl" };
  const url = `http://127.0.0.1:${await freePort()}`;
  const remote = { auth_remote: { remote: "ca", auth_key: "certctl" } };
  await writeFile(place("server.json"), JSON.stringify({ signing: { default: profile }, auth_keys }));
  await writeFile(
    place("client.json"),
    JSON.stringify({ signing: { default: remote }, auth_keys, remotes: { ca: url } }),
  );
  const served = ["-address=127.0.0.1", `-port=${new URL(url).port}`, "-config", place("server.json")];
  const argv = ["cfssl", "serve", ...served, "-ca", place("ca.pem"), "-ca-key", place("ca.key")];
  await using cfssl = runProcess(argv, {});
  await cfssl.says("Now listening");
  await copyFile(example, place("cfssl-issuer"));
  const environment = { CFSSL_URL: url, CFSSL_CONFIG: place("client.json"), STATE: home };
  const commands = { cfssl: { argv: [place("cfssl-issuer")], environment } };
  await writeFile(join(system.dataDir, "server.yaml"), stringify({ commands }), { mode: 0o600 });
  await createIssuer(staged, { command: "cfssl", test_command: "cfssl" });

  const { body: issuers } = await system.rest("GET", "/api/v1/issuers?kind=script");
  const tested = await system.rest("POST", `/api/v1/issuers/${issuers.data[0].id}/test`, {});
  expect(tested.body).toMatchObject({
    ok: true,
    message: expect.stringMatching(/^subject=CN=cfssl-root notAfter=/),
  });
  const job = await system.renew(certificateId);
  expect(job).toMatchObject({ outcome: "Proven", error: null });
  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  const leaf = new X509Certificate(versions.data[0].pem_chain);
  expect(leaf.issuer).toBe("CN=cfssl-root");
  expect(leaf.verify(new X509Certificate(await readFile(place("ca.pem"))).publicKey)).toBe(true);

  await cfssl.end("SIGTERM");
  const { body: renewal } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  const failed = await system.job(renewal.job_id, ({ error }) => error !== null);
  expect(failed.error).toMatchObject({
    step: "sign",
    message: expect.stringMatching(/^cfssl ended with 14: failed POST to .* connection refused$/),
    failure_class: "Network",
  });
});

test("a control plane that is killed while the command runs leaves one certificate", {
  timeout: 60_000,
}, async () => {
  await using staged = await stageSystem();
  const { system, certificateId } = staged;
  const home = join(system.directory, "ca");
  await mkdir(home);
  // The first call reaches the CA, and never comes back.
  const hanging = `#!/bin/sh
"$CA_HOME/sign" > "$CA_HOME/answer" || exit 1
[ -e "$CA_HOME/hung" ] || { touch "$CA_HOME/hung"; exec sleep 300; }
cat "$CA_HOME/answer"
`;
  const ca = await makeScriptCa(home, join(system.dataDir, "server.yaml"), { hanging });
  await createIssuer(staged, { command: "hanging" });
  const { body } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  while (!(await readdir(home)).includes("hung")) await delay(20);
  await system.server().end("SIGKILL");
  await endOrderLeases(system.databaseUrl);
  await system.restartServer();
  const job = await system.job(body.job_id, ({ outcome }) => outcome !== null);
  expect(job).toMatchObject({ outcome: "Proven" });
  expect(await ca.read("calls")).toBe(`issue ${body.job_id} \n`.repeat(2));
  expect((await readdir(home)).filter((name) => /^job-.*\.pem$/.test(name))).toEqual([`${body.job_id}.pem`]);
  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  expect(versions.data).toHaveLength(1);
});

test("an order that waits is taken up again by the control plane that comes after", {
  timeout: 60_000,
}, async () => {
  await using staged = await stageSystem();
  const { system, certificateId } = staged;
  const home = join(system.directory, "ca");
  await mkdir(home);
  const ca = await makeScriptCa(home, join(system.dataDir, "server.yaml"));
  await createIssuer(staged, { command: "order", status_command: "status", poll_seconds: 1 });
  const { body } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  await system.job(body.job_id, ({ timeline }) =>
    timeline.some(({ message }: { message: string }) => message === "order-7: still waits for approval"),
  );
  await system.server().end("SIGKILL");
  await ca.approve();
  await endOrderLeases(system.databaseUrl);
  await system.restartServer();
  const job = await system.job(body.job_id, ({ outcome }) => outcome !== null);
  expect(job).toMatchObject({ outcome: "Proven" });
  // What asked when its control plane was killed may have asked to the end, too.
  const calls = (await ca.read("calls")).trim().split("\n");
  expect([...new Set(calls)]).toEqual([`status ${body.job_id} order-7`]);
  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  expect(versions.data).toHaveLength(1);
});
