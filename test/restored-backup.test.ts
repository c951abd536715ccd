import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cli, openCli } from "./cli.ts";
import { backUp } from "./database.ts";
import { freePort } from "./free-port.ts";
import { openScratch, openssl, type Scratch } from "./openssl.ts";
import { type System, startSystem } from "./system.ts";

/** A database that is restored from a backup older than a certificate: the CA signed it, and nobody knows of it. */

const parts = new AsyncDisposableStack();
let system: System;
let cli: Cli;
let scratch: Scratch;
let pkiUrl: string;
beforeAll(async () => {
  const port = await freePort();
  pkiUrl = `http://127.0.0.1:${port}`;
  const env = { CERTCTL_PKI_PORT: String(port), CERTCTL_PKI_URL: pkiUrl };
  system = parts.use(await startSystem({ env }));
  cli = parts.use(await openCli(system));
  scratch = parts.use(await openScratch());
});
afterAll(() => parts.disposeAsync());

async function issued(name: string): Promise<{ serial: string; pem: string }> {
  const wanted = { name, common_name: `${name}.example.test`, agent_id: "ag-web" };
  const { body } = await system.rest("POST", "/api/v1/certificates", wanted);
  await system.renew(body.id);
  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${body.id}/versions`);
  return { serial: versions.data[0].serial_number, pem: versions.data[0].pem_chain };
}

const signing = async () =>
  (await system.rest("GET", "/api/v1/authorities?issuer_id=iss-local")).body.data[0];

/** What OCSP and the CRL say, as openssl reads them. */
async function asked(pem: string): Promise<{ ocsp: string; crl: string; number: bigint }> {
  const { id, certificate_pem } = await signing();
  const { body: issuer } = await system.rest("GET", "/api/v1/issuers/iss-local");
  const [leaf, ca, root] = await Promise.all([
    scratch.file("leaf.pem", new X509Certificate(pem).toString()),
    scratch.file("ca.pem", certificate_pem),
    scratch.file("root.pem", issuer.root_pem),
  ]);
  const trust = ["-CAfile", root, "-issuer", ca, "-verify_other", ca];
  const answer = await openssl("ocsp", ...trust, "-url", `${pkiUrl}/ocsp`, "-cert", leaf);
  const der = Buffer.from(await (await fetch(`${pkiUrl}/crl/${id}.crl`)).arrayBuffer());
  const crl = await scratch.file("crl.der", der);
  const strict = ["-x509_strict", "-auth_level", "2", "-crl_check", "-CRLfile", crl, "-CAfile", root];
  const verified = openssl("verify", ...strict, "-untrusted", ca, leaf).catch(
    ({ message }: Error) => message,
  );
  const shown = await openssl("crl", "-inform", "DER", "-in", crl, "-noout", "-crlnumber");
  return {
    ocsp: /leaf.pem: (\w+)/.exec(answer)?.[1] ?? answer,
    crl: await verified,
    number: BigInt(/crlNumber=(0x\w+)/i.exec(shown)?.[1] ?? 0),
  };
}

test("what was signed after the backup is recovered and revoked, and nothing goes back", async () => {
  const agent = await system.startAgent("ag-web");
  const before = await issued("before");
  await system.server().end("SIGTERM");
  await using backup = await backUp(system.databaseUrl);
  await system.restartServer();
  const lost = await issued("lost");
  expect((await asked(lost.pem)).ocsp).toBe("good");
  const { number } = await asked(lost.pem);
  await agent[Symbol.asyncDispose]();
  await system.server().end("SIGTERM");
  await backup.restore();
  await system.restartServer();

  expect((await asked(before.pem)).ocsp).toBe("good");
  expect((await asked(lost.pem)).ocsp).toBe("unknown");
  const path = join(cli.home, "lost.pem");
  await writeFile(path, lost.pem);
  const recover = () => cli.json("recovered-certificates", "create", "--certificate-pem", `@${path}`);
  const recovered = await recover();
  expect(recovered).toMatchObject({
    serial_number: lost.serial,
    authority_id: (await signing()).id,
    sans: ["lost.example.test"],
    revoked_at: null,
  });
  expect((await recover()).id).toBe(recovered.id);
  expect((await asked(lost.pem)).ocsp).toBe("good");
  expect(await signing()).toMatchObject({ valid_certificates: 2, revoked_certificates: 0 });

  const revoked = await cli.json(
    "recovered-certificates",
    "revoke",
    recovered.id,
    "--reason",
    "KeyCompromise",
  );
  expect(revoked).toMatchObject({ revocation_reason: "KeyCompromise" });
  expect((await asked(lost.pem)).ocsp).toBe("revoked");
  await expect.poll(async () => (await asked(lost.pem)).crl).toContain("certificate revoked");
  expect((await asked(lost.pem)).number).toBeGreaterThan(number);
  expect(await signing()).toMatchObject({ valid_certificates: 1, revoked_certificates: 1 });
  const { out } = await cli.run(["recovered-certificates", "list"]);
  expect(out).toContain(lost.serial);
  const { body } = await system.rest("GET", "/api/v1/audit?resource_type=recovered_certificate");
  expect(body.data.map(({ action }: { action: string }) => action).sort()).toEqual([
    "certificate_recovered",
    "recovered_certificate_revoked",
  ]);
  const again = await system.rest("POST", "/api/v1/recovered-certificates", { certificate_pem: before.pem });
  expect(again).toMatchObject({ status: 409, body: { reason: "KNOWN" } });
});
