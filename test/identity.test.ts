import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { lifeOf, readIdentity } from "../agent/identity.ts";
import { later } from "./faketime.ts";
import { stageSystem } from "./stage-system.ts";

test("an agent renews its identity when half of its life is over, and goes on working", async () => {
  await using staged = await stageSystem({ env: { CERTCTL_AGENT_IDENTITY_HOURS: "1" } });
  const { system, agent, certificateId } = staged;
  const before = await readIdentity(agent.stateDir);
  const { body: known } = await system.rest("GET", "/api/v1/agents/ag-web");
  await agent.process.end("SIGTERM");
  // A certificate's end is counted in whole seconds.
  await delay(1_000);

  await using aged = await system.startAgent("ag-web", { env: await later("+40 minutes") });
  await aged.process.says("renewed the agent's identity");
  expect(await system.renew(certificateId)).toMatchObject({ outcome: "Proven" });

  const after = await readIdentity(agent.stateDir);
  if (!before || !after) throw new Error("the agent has no identity");
  expect(after.agentId).toBe(before.agentId);
  expect(after.keyPem).not.toBe(before.keyPem);
  const { body: renewed } = await system.rest("GET", "/api/v1/agents/ag-web");
  // It works; that its clock is not the control plane's shows.
  expect(renewed).toMatchObject({
    status: "Degraded",
    problems: [expect.stringMatching(/^its clock is 2[34]\d\d s ahead$/)],
  });
  expect(Date.parse(known.identity_expires_at)).toBe(lifeOf(before).notAfter.getTime());
  expect(Date.parse(renewed.identity_expires_at)).toBe(lifeOf(after).notAfter.getTime());
  expect(lifeOf(after).notAfter.getTime()).toBeGreaterThan(lifeOf(before).notAfter.getTime());
});
