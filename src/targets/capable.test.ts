import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControlPlane, newAgent, openControlPlane, operator, refusalOf } from "../../test/fixtures.ts";
import { createTarget } from "./manage.ts";

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
