import { spawnSync } from "node:child_process";
import { access, readlink, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JobService, JobStatus, JobType } from "#gen/certctl/v1/jobs_pb.ts";
import { probe } from "../src/targets/probe.ts";
import { type StagedSystem, stageSystem } from "./stage-system.ts";
import { nginxEntry } from "./system.ts";

/** Jobs by hand against a real agent and a real nginx. */

let staged: StagedSystem;
beforeAll(async () => {
  staged = await stageSystem();
  await staged.system.renew(staged.certificateId);
});
afterAll(() => staged[Symbol.asyncDispose]());

const call = (method: string, path: string, body?: unknown) =>
  staged.system.rest(method, `/api/v1${path}`, body);

async function served(): Promise<string> {
  const { nginx, serverName } = staged;
  const options = { serverName, rootPem: null, signal: AbortSignal.timeout(5_000) };
  return (await probe(nginx.endpoint, options)).fingerprintSha256;
}

test("a validation says what the target serves, and whether that is what was deployed", async () => {
  const { system, nginx, certificateId } = staged;
  const ask = async () => {
    const { status, body } = await call("POST", `/certificates/${certificateId}/validate`);
    expect(status).toBe(202);
    return system.job(body.job_id, (job) => job.status === "Completed");
  };
  expect(await ask()).toMatchObject({
    type: "Validation",
    outcome: "Proven",
    served_fingerprint_sha256: await served(),
  });
  const current = join(nginx.site, "current");
  const older = { link: await readlink(current), fingerprint: await served() };
  await system.renew(certificateId);
  // Somebody puts the old one back behind certctl's back: what a validation is there to find.
  await symlink(older.link, `${current}.new`);
  await rename(`${current}.new`, current);
  const [program, ...argv] = nginx.reloadArgv;
  expect(spawnSync(program, argv).status).toBe(0);
  // An nginx that was told to reload may let a worker of before take a last connection.
  const thrice = async () => new Set([await served(), await served(), await served()]);
  await expect.poll(thrice).toEqual(new Set([older.fingerprint]));
  expect(await ask()).toMatchObject({ outcome: "NotProven", served_fingerprint_sha256: older.fingerprint });
  const { body } = await call("GET", `/certificates/${certificateId}/deployments`);
  expect(body.data[0].served_fingerprint_sha256).toBe(older.fingerprint);
  expect(Date.parse(body.data[0].served_at)).toBeGreaterThan(Date.now() - 60_000);
  await nginx.stop();
  expect(await ask()).toMatchObject({ outcome: "NotProven", served_fingerprint_sha256: "" });
});

test("cancelling a deployment that is under way stops the agent at once, and it puts the old one back", async () => {
  await using fresh = await stageSystem();
  const { system, nginx, agent, certificateId } = fresh;
  await system.renew(certificateId);
  const current = join(nginx.site, "current");
  const before = await readlink(current);
  const directory = join(nginx.site, "..");
  const script = join(directory, "reload.sh");
  const mark = join(directory, "hung");
  const lines = [`[ -e ${mark} ] && exec ${nginx.reloadArgv.join(" ")}`, `touch ${mark}`, "exec sleep 60"];
  await writeFile(script, lines.join("\n"));
  const hanging = { ...nginxEntry(nginx), reload: ["sh", script] };
  await agent.allow({ allowed_directories: [directory], targets: { site: hanging } });
  const renewed = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`);
  const issued = await system.job(renewed.body.job_id, (job) => job.child_job_ids.length > 0);
  const id = issued.child_job_ids[0];
  await expect
    .poll(
      () =>
        access(mark).then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(true);
  expect(await readlink(current)).not.toBe(before);
  const cancelled = await system.rest("POST", `/api/v1/jobs/${id}/cancel`);
  expect(cancelled).toMatchObject({ status: 200, body: { status: "Cancelled", outcome: "NotProven" } });
  await expect.poll(() => readlink(current), { timeout: 20_000 }).toBe(before);
  expect(await system.rest("POST", `/api/v1/jobs/${id}/cancel`)).toMatchObject({ status: 200 });
  expect(await system.rest("POST", `/api/v1/jobs/${id}/retry`)).toMatchObject({
    status: 202,
    body: { job_id: id },
  });
  await system.job(id, (job) => job.outcome === "Proven");
  expect(await readlink(current)).not.toBe(before);
});

test("watching all jobs shows each as it changes, with its timeline, and nothing that was not asked for", async () => {
  await using fresh = await stageSystem();
  const { system, certificateId } = fresh;
  const transport = createConnectTransport({
    baseUrl: system.url,
    httpVersion: "2",
    nodeOptions: { ca: system.ca },
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${system.adminKey}`);
        return next(request);
      },
    ],
  });
  const stop = new AbortController();
  const stream = createClient(JobService, transport).watchJobs(
    { certificateId, type: [JobType.DEPLOYMENT] },
    { signal: stop.signal },
  );
  const seen: { status: JobStatus; steps: string[] }[] = [];
  const watching = (async () => {
    for await (const { job } of stream) {
      expect(job).toMatchObject({ certificateId, type: JobType.DEPLOYMENT });
      seen.push({ status: job?.status ?? 0, steps: (job?.timeline ?? []).map(({ step }) => step) });
      if (job?.status === JobStatus.COMPLETED) return;
    }
  })();
  // The stream is open once its first change arrives; until then the renewal is asked for again.
  for (let round = 0; round < 10 && seen.length === 0; round += 1) await system.renew(certificateId);
  await watching;
  stop.abort();
  expect(seen.at(-1)?.steps).toContain("proven");
});
