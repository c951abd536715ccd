import { expect, test } from "vitest";
import { probe } from "../src/targets/probe.ts";
import { openScratch, openssl } from "./openssl.ts";
import { stageSystem } from "./stage-system.ts";

test("a certificate for addresses of both families is issued, deployed and proven by address", async () => {
  await using staged = await stageSystem({ sans: ["192.0.2.7", "2001:db8::7"] });
  const { system, certificateId, nginx } = staged;
  expect(await system.renew(certificateId)).toMatchObject({ outcome: "Proven", error: null });
  const { body: certificate } = await system.rest("GET", `/api/v1/certificates/${certificateId}`);
  expect(certificate.sans).toEqual(["192.0.2.7", "2001:db8::7"]);
  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  const { body: issuer } = await system.rest("GET", "/api/v1/issuers/iss-local");
  const served = await probe(nginx.endpoint, {
    serverName: null,
    rootPem: issuer.root_pem,
    signal: AbortSignal.timeout(5_000),
  });
  expect(served.fingerprintSha256).toBe(versions.data[0].fingerprint_sha256);
  await using scratch = await openScratch();
  const chain = await scratch.file("chain.pem", versions.data[0].pem_chain);
  const root = await scratch.file("root.pem", issuer.root_pem);
  const strict = ["-x509_strict", "-auth_level", "2", "-purpose", "sslserver", "-CAfile", root];
  for (const address of ["192.0.2.7", "2001:db8::7"])
    await openssl("verify", ...strict, "-verify_ip", address, "-untrusted", chain, chain);
  await expect(
    openssl("verify", ...strict, "-verify_ip", "192.0.2.8", "-untrusted", chain, chain),
  ).rejects.toThrow("IP address mismatch");
});
