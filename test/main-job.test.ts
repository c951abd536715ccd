import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { probe } from "../src/targets/probe.ts";
import { startNginx } from "./nginx.ts";
import { nginxEntry, startSystem } from "./system.ts";

test("a certificate is issued, deployed to a real nginx and proven, twice, with nothing but REST calls", async () => {
  await using system = await startSystem();
  const directory = await mkdtemp(join(tmpdir(), "certctl-nginx-"));
  await using nginx = await startNginx({ directory });
  await using agent = await system.startAgent("ag-web");
  await agent.allow({ allowed_directories: [directory], targets: { site: nginxEntry(nginx) } });
  const id = await system.declare({ agentId: "ag-web", entry: "site", name: "web" });

  const serials: string[] = [];
  for (const type of ["Issuance", "Renewal"]) {
    const job = await system.renew(id);
    expect(job).toMatchObject({ type, status: "Completed", outcome: "Proven", error: null });
    const served = await probe(nginx.endpoint, {
      serverName: "web.example.test",
      rootPem: null,
      signal: AbortSignal.timeout(5_000),
    });
    serials.push(served.leaf.serialNumber);
    const { body: certificate } = await system.rest("GET", `/api/v1/certificates/${id}`);
    expect(certificate).toMatchObject({
      status: "Active",
      serial_number: served.leaf.serialNumber,
      fingerprint_sha256: served.fingerprintSha256,
    });
  }
  expect(new Set(serials).size).toBe(2);

  const { body: versions } = await system.rest("GET", `/api/v1/certificates/${id}/versions`);
  expect(versions.data.map((version: { serial_number: string }) => version.serial_number)).toEqual(
    serials.toReversed(),
  );
  const { body: deployments } = await system.rest("GET", `/api/v1/certificates/${id}/deployments`);
  expect(deployments.data).toMatchObject([
    {
      target_id: "tgt-web",
      version_id: versions.data[0].id,
      served_fingerprint_sha256: versions.data[0].fingerprint_sha256,
    },
  ]);

  const older = versions.data[1];
  const { body: rollback } = await system.rest("POST", `/api/v1/certificates/${id}/deploy`, {
    version_id: older.id,
  });
  await system.job(rollback.job_id, ({ outcome }) => outcome === "Proven");
  const back = await probe(nginx.endpoint, {
    serverName: "web.example.test",
    rootPem: null,
    signal: AbortSignal.timeout(5_000),
  });
  expect(back.fingerprintSha256).toBe(older.fingerprint_sha256);
  const place = (await system.rest("GET", `/api/v1/certificates/${id}/deployments`)).body.data[0];
  expect(place).toMatchObject({
    version_id: older.id,
    version_number: 1,
    expected_version_id: older.id,
    expected_version_number: 1,
    expected_fingerprint_sha256: back.fingerprintSha256,
    served_fingerprint_sha256: back.fingerprintSha256,
    proven: true,
  });
  const { body: certificate } = await system.rest("GET", `/api/v1/certificates/${id}`);
  expect(certificate).toMatchObject({ deployments_total: 1, deployments_proven: 1, deployments_drifted: 0 });
  expect(certificate.fingerprint_sha256).toBe(versions.data[0].fingerprint_sha256);
  await rm(directory, { recursive: true, force: true });
});
