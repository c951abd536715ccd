import { afterAll, beforeAll, expect, test } from "vitest";
import { type StagedSystem, stageSystem } from "./stage-system.ts";
import { nginxEntry } from "./system.ts";

/** Testing a target: the question goes to a real agent over its stream, and the answer comes back. */

let staged: StagedSystem;
beforeAll(async () => {
  staged = await stageSystem();
});
afterAll(() => staged[Symbol.asyncDispose]());

const ask = (path: string, body: object = {}) => staged.system.rest("POST", `/api/v1/${path}/test`, body);
const entries = async () => (await staged.system.rest("GET", "/api/v1/agents/ag-web")).body.entries;

test("a target's test says what a deployment would find, and what is served now", async () => {
  const { body, status } = await ask("targets/tgt-web");
  expect(status).toBe(200);
  expect(body).toMatchObject({ ok: true, message: "a deployment finds what it needs" });
  expect(body.checks.map(({ name, ok }: { name: string; ok: boolean }) => `${name} ${ok}`)).toEqual([
    "entry true",
    "directory true",
    "test true",
    "reload true",
    "endpoint true",
  ]);
  const job = await staged.system.renew(staged.certificateId);
  expect(job.outcome).toBe("Proven");
  const { body: version } = await staged.system.rest("GET", `/api/v1/certificates/${staged.certificateId}`);
  const { body: after } = await ask("targets/tgt-web");
  expect(after.served_fingerprint_sha256).toBe(version.fingerprint_sha256);
});

test("what is not saved yet is tested, too, and the agent's entries are known afterwards", async () => {
  const unsaved = { agent_id: "ag-web", config: { entry: "elsewhere" } };
  expect((await ask("target-kinds/nginx", unsaved)).body).toMatchObject({
    ok: false,
    message: 'agent.yaml has no target "elsewhere"',
    checks: [{ name: "entry", ok: false }],
  });
  expect((await ask("target-kinds/files", { ...unsaved, config: { entry: "site" } })).body.message).toContain(
    "is of kind nginx, not files",
  );
  const { nginx, agent } = staged;
  const targets = {
    site: nginxEntry(nginx),
    elsewhere: { ...nginxEntry(nginx), directory: "/etc/elsewhere" },
  };
  await agent.allow({ allowed_directories: [nginx.site], targets });
  expect((await ask("target-kinds/nginx", unsaved)).body).toMatchObject({ ok: false });
  expect(await entries()).toEqual([
    { name: "elsewhere", kind: "nginx", endpoint: nginx.endpoint, target_id: "" },
    { name: "site", kind: "nginx", endpoint: nginx.endpoint, target_id: "tgt-web" },
  ]);
  expect(await ask("target-kinds/nginx", { agent_id: "ag-web", config: { entry: "no good" } })).toMatchObject(
    {
      status: 400,
    },
  );
});

test("an agent is asked over its stream whichever replica the question comes to", async () => {
  const replica = await staged.system.startReplica();
  const { body } = await replica("POST", "/api/v1/targets/tgt-web/test", {});
  expect(body.checks.length).toBeGreaterThan(1);
});

test("an agent that is offline is not waited for", async () => {
  await staged.system.rest("POST", "/api/v1/agents", { id: "ag-away", name: "away" });
  const { body } = await ask("target-kinds/nginx", { agent_id: "ag-away", config: { entry: "site" } });
  expect(body).toMatchObject({ ok: false, message: "agent away is offline", checks: [] });
  expect(await ask("target-kinds/nginx", { agent_id: "ag-none", config: { entry: "site" } })).toMatchObject({
    status: 400,
    body: { details: [{ field: "agent_id" }] },
  });
});
