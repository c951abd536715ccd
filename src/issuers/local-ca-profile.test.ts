import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CertificateVersion } from "#gen/prisma/client.ts";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  newCsr,
  newKey,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { openScratch, openssl } from "../../test/openssl.ts";
import { zlint } from "../../test/zlint.ts";
import { issue } from "../certificates/issue.ts";
import { fromPem } from "../x509/pem.ts";
import { createIssuer, updateIssuer } from "./manage.ts";

let plane: ControlPlane;
let unserved: ControlPlane;
let agent: TestAgent;
beforeAll(async () => {
  plane = await openControlPlane(undefined, { pkiUrl: "http://pki.example" });
  unserved = await openControlPlane();
  agent = await newAgent(plane);
});
afterAll(async () => {
  await plane[Symbol.asyncDispose]();
  await unserved[Symbol.asyncDispose]();
});
const { signal } = new AbortController();

/** Gives the local CA a profile; what is left out is as it is by itself. */
async function shape(
  config: Record<string, string | number | boolean | string[]>,
  at = plane,
): Promise<void> {
  await updateIssuer(at, operator, { id: "iss-local", name: "Local CA", config, enabled: true });
}

async function issued(changes: Parameters<typeof newCertificate>[1] = {}): Promise<CertificateVersion> {
  const job = await openIssuance(
    plane,
    agent,
    await newCertificate(plane, { agentId: agent.id, ...changes }),
  );
  await submitCsr(plane, agent, job, newCsr(["site.example"], { key: newKey() }));
  await issue(plane, job.id, signal);
  return plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: job.id } });
}

async function textOf({ pemChain }: CertificateVersion): Promise<string> {
  await using scratch = await openScratch();
  const [leaf] = fromPem("CERTIFICATE", pemChain);
  expect(await zlint(leaf ?? Buffer.alloc(0))).toEqual([]);
  const shown = await openssl("x509", "-noout", "-text", "-in", await scratch.file("leaf.pem", pemChain));
  return shown.replaceAll(/\s+/g, " ");
}

describe("the profile of the local CA", () => {
  test("says which kinds of keys it signs for", async () => {
    await shape({ key_algorithms: ["ECDSA-P384"] });
    const refused = await refusalOf(newCertificate(plane, { keyAlgorithm: "ECDSA-P256" }));
    expect(refused).toMatchObject({ code: "InvalidArgument", fields: ["key_algorithm"] });
    expect(refused.message).toContain("ECDSA-P384 only");
    await newCertificate(plane, { keyAlgorithm: "ECDSA-P384" });
    await shape({});
    await newCertificate(plane, { keyAlgorithm: "ECDSA-P256" });
  });

  test("says how long certificates are valid at most", async () => {
    await shape({ max_validity_days: 30 });
    const refused = await refusalOf(newCertificate(plane, { validitySeconds: 31 * 86_400 }));
    expect(refused).toMatchObject({ code: "InvalidArgument", fields: ["validity_seconds"] });
    expect(refused.message).toContain("at most 30 days: ask for 2592000 seconds or less");
    await newCertificate(plane, { validitySeconds: 30 * 86_400 });
    await shape({});
    await newCertificate(plane, { validitySeconds: 31 * 86_400 });
  });

  test("says what certificates are for", async () => {
    await shape({ usages: ["serverAuth", "clientAuth"] });
    expect(await textOf(await issued())).toContain(
      "Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication X509v3",
    );
    await shape({ usages: ["clientAuth"] });
    expect(await textOf(await issued())).toContain(
      "Extended Key Usage: TLS Web Client Authentication X509v3",
    );
    await shape({});
    expect(await textOf(await issued())).toContain(
      "Extended Key Usage: TLS Web Server Authentication X509v3",
    );
  });

  test("has servers staple where it says so", async () => {
    await shape({ must_staple: true });
    expect(await textOf(await issued())).toContain("TLS Feature: status_request");
    await shape({});
    expect(await textOf(await issued())).not.toContain("TLS Feature");
  });

  test("has certificates say where their revocation data lies, where that is served", async () => {
    await shape({});
    const version = await issued();
    const text = await textOf(version);
    expect(text).toContain(`URI:http://pki.example/crl/${version.authorityId}.crl`);
    expect(text).toContain("OCSP - URI:http://pki.example/ocsp ");
    expect(text).toContain(`CA Issuers - URI:http://pki.example/ca/${version.authorityId}.cer`);
  });

  test("lets short-lived certificates go without it, and none that is valid for longer", async () => {
    const config = { revocation_data: "never", max_validity_days: 7 };
    await shape(config);
    const text = await textOf(await issued({ validitySeconds: 7 * 86_400 }));
    expect(text).not.toContain("pki.example");
    expect(text).toContain("X509v3 No Revocation Available");
    for (const [field, changes] of [
      ["max_validity_days", { max_validity_days: 8 }],
      ["must_staple", { must_staple: true }],
    ] as const) {
      const wanted = {
        id: "",
        name: field,
        kind: "local-ca",
        config: { ...config, ...changes },
        enabled: true,
      };
      expect(await refusalOf(createIssuer(plane, operator, wanted))).toMatchObject({
        fields: [`config.${field}`],
      });
    }
    await shape({});
  });

  test.each(["must_staple", "always"])("needs a place to serve it from for %s", async (what) => {
    await shape(what === "always" ? { revocation_data: what } : { [what]: true }, unserved);
    const refused = await refusalOf(newCertificate(unserved, {}));
    expect(refused).toMatchObject({ code: "InvalidArgument", fields: ["issuer_id"] });
    expect(refused.message).toContain("CERTCTL_PKI_URL");
    await shape({}, unserved);
    await newCertificate(unserved, {});
  });

  test("holds also for what was declared before it was narrowed", async () => {
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, certificateId);
    await submitCsr(plane, agent, job);
    await shape({ key_algorithms: ["RSA-2048"] });
    await issue(plane, job.id, signal);
    expect(await plane.db.job.findUnique({ where: { id: job.id } })).toMatchObject({
      ...{ status: "Failed", failureClass: "Configuration", errorStep: "profile" },
      errorMessage: "key_algorithm: this issuer signs for RSA-2048 only, not for ECDSA-P256",
    });
    await shape({});
  });
});
