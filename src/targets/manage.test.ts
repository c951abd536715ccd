import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  declaration,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
  refusalOf,
  report,
  succeeded,
} from "../../test/fixtures.ts";
import { updateCertificate } from "../certificates/declare.ts";
import { archiveTarget, createTarget } from "./manage.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const create = (name: string, agentId: string) =>
  createTarget(plane, operator, { id: "", name, kind: "nginx", agentId, config: { entry: "site" } });

test("a target is refused for an agent that said that it knows no such kind, and taken for one that said nothing yet", async () => {
  const { id } = await newAgent(plane);
  await expect(create("first", id)).resolves.toMatch(/^tgt-/);
  await plane.db.agent.update({ where: { id }, data: { capabilities: ["target.files/1"] } });
  expect(await refusalOf(create("second", id))).toMatchObject({
    fields: ["kind"],
    message: expect.stringContaining("knows no targets of the kind nginx"),
  });
  await plane.db.agent.update({
    where: { id },
    data: { capabilities: ["target.files/1", "target.nginx/1"] },
  });
  await expect(create("third", id)).resolves.toMatch(/^tgt-/);
});

test("a target is archived once no certificate is bound to it, and nothing is being deployed there", async () => {
  const agent = await newAgent(plane);
  const targetId = await newTarget(plane, agent);
  const certificateId = await newCertificate(plane, { targetIds: [targetId], agentId: agent.id });
  const version = await issueVersion(plane, agent, certificateId);
  const archive = () => archiveTarget(plane, operator, targetId);
  expect(await refusalOf(archive())).toMatchObject({
    reason: "IN_USE",
    fields: ["open_jobs", "certificates"],
  });
  await updateCertificate(plane, operator, certificateId, declaration({ agentId: agent.id }));
  expect(await refusalOf(archive())).toMatchObject({
    fields: ["open_jobs"],
    message: `target ${targetId} is in use by 1 open job`,
  });
  await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
  await expect(archive()).resolves.toBeUndefined();
});
