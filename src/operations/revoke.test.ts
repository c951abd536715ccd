import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allCertificates,
  type ControlPlane,
  claimOne,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { createOperation } from "./create.ts";
import { runOperation } from "./run.ts";

let plane: ControlPlane;
let agent: TestAgent;
const { signal } = new AbortController();

beforeAll(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterAll(() => plane[Symbol.asyncDispose]());

/** A certificate with two versions, of which its target serves the second. */
async function served() {
  const id = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
  const versions = [];
  for (let count = 0; count < 2; count += 1) {
    const version = await issueVersion(plane, agent, id);
    await report(plane, agent, await claimOne(plane, agent), succeeded(version.fingerprintSha256));
    pass();
    versions.push(version);
  }
  return { id, serves: versions.at(-1)?.id ?? "" };
}

function pass() {
  plane.time.now = new Date(plane.time.now.getTime() + 1_000);
}

describe("an operation", () => {
  test("revokes what nothing relies on any more, and says of the rest why not", async () => {
    const { id, serves } = await served();
    const gone = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, gone);
    pass();
    const successor = await issueVersion(plane, agent, gone);
    await plane.db.certificateVersion.update({
      where: { id: successor.id },
      data: { revokedAt: plane.time.now, revocationReason: "Superseded" },
    });
    const operationId = await createOperation(plane, operator, {
      kind: "Revoke",
      filter: { ...allCertificates, ids: [id, gone] },
      filterJson: {},
      changes: { ownerId: undefined, teamId: undefined, renewalPolicyId: undefined, environment: undefined },
      revocation: { reason: "Superseded", force: false },
      expectedTotal: 2,
    });
    await runOperation(plane, operationId, signal);
    const items = await plane.db.operationItem.findMany({ where: { operationId } });
    const itemOf = (certificateId: string) => items.find((item) => item.certificateId === certificateId);
    expect(itemOf(id)).toMatchObject({ status: "Failed", message: expect.stringContaining(serves) });
    expect(itemOf(gone)).toMatchObject({ status: "Done", jobIds: [expect.stringMatching(/^job-/)] });
  });
});
