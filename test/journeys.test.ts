import { afterAll, beforeAll, expect, test } from "vitest";
import { type StagedSystem, stageSystem } from "./stage-system.ts";

/** The journey of a certificate, over a real agent and a real nginx. */

let staged: StagedSystem;
beforeAll(async () => {
  staged = await stageSystem();
});
afterAll(() => staged[Symbol.asyncDispose]());

const journeys = (path: string, options = {}) =>
  staged.system.rest("GET", `/api/v1/certificates/${staged.certificateId}/${path}`, undefined, options);

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API
const stagesOf = (track: any) => track.stages.map(({ step, state }: any) => `${step} ${state}`);

test("a journey is sent as it goes, and ends proven with every stage timed", async () => {
  const { system, certificateId } = staged;
  const { body: accepted } = await system.rest("POST", `/api/v1/certificates/${certificateId}/renew`);
  const watched = await journeys("journey/watch");
  const lines = String(watched.body).trim().split("\n");
  const sent = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  const last = sent.at(-1);
  expect(last).toMatchObject({ outcome: "Proven", state: "Done", trigger: { cause: "Asked" } });
  expect(sent.slice(0, -1).every(({ outcome }) => outcome === null)).toBe(true);
  expect(last.keys).toMatchObject([{ job_id: accepted.job_id, state: "Done" }]);
  expect(stagesOf(last.keys[0])).toEqual(["Key Done", "Csr Done", "Order Done", "Issued Done"]);
  expect(stagesOf(last.lanes[0])).toEqual([
    "Delivered Done",
    "Installed Done",
    "Reloaded Done",
    "Proven Done",
  ]);
  for (const stage of [...last.keys[0].stages, ...last.lanes[0].stages])
    expect(stage.duration_ms, stage.step).toEqual(expect.any(Number));
  expect(last.lanes[0].served_fingerprint_sha256).toBe(last.lanes[0].expected_fingerprint_sha256);
  expect((await journeys("journey")).body).toMatchObject({ renewal_id: last.renewal_id, outcome: "Proven" });
});

test("earlier journeys are listed, and each is read by its renewal", async () => {
  await staged.system.renew(staged.certificateId);
  const { body } = await journeys("journeys");
  expect(body.total).toBeGreaterThan(1);
  const oldest = body.data.at(-1);
  expect(oldest).toMatchObject({
    state: "Done",
    outcome: "Proven",
    keys: 1,
    issued: 1,
    targets: 1,
    proven: 1,
  });
  const { body: read } = await journeys(`journey?renewal_id=${oldest.renewal_id}`);
  expect(read.renewal_id).toBe(oldest.renewal_id);
  expect(read.renewal_id).not.toBe(body.data[0].renewal_id);
  expect(read.keys[0].stages[0].expected_ms).toEqual(expect.any(Number));
});

test("a key that does not reach the certificate finds no journey of it", async () => {
  const { body: team } = await staged.system.rest("POST", "/api/v1/teams", { name: "elsewhere" });
  const wanted = { name: "elsewhere", role: "viewer", team_ids: [team.id] };
  const { body: key } = await staged.system.rest("POST", "/api/v1/api-keys", wanted);
  for (const path of ["journey", "journeys", "journey/watch"])
    expect(await journeys(path, { apiKey: key.api_key }), path).toMatchObject({ status: 404 });
});
