import { expect, test } from "vitest";
import { stageSystem } from "./stage-system.ts";

test("what one replica is asked for, the agent on another one does at once", async () => {
  await using staged = await stageSystem();
  const { system, certificateId } = staged;
  const other = await system.startReplica();
  const { body: agent } = await other("GET", "/api/v1/agents/ag-web");
  expect(agent.status).toBe("Online");

  const { body } = await other("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  const watched = await other("GET", `/api/v1/jobs/${body.job_id}/watch`);
  const states = watched.body
    .split("\n")
    .filter((line: string) => line !== "")
    .map((line: string) => JSON.parse(line));
  expect(states.at(-1)).toMatchObject({ id: body.job_id, status: "Completed", outcome: "Proven" });
  // Only what the work itself takes: nothing on this path waits for a timer.
  const steps = states.at(-1).timeline.map(({ step }: { step: string }) => step);
  expect(steps).toEqual(
    expect.arrayContaining([
      "created",
      "delivered",
      "key_generated",
      "csr_accepted",
      "issued",
      "switched",
      "reloaded",
      "proven",
    ]),
  );
});
