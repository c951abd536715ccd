import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  openControlPlane,
  openIssuance,
  operator,
  submitCsr,
} from "../../test/fixtures.ts";
import { defineIssuer, type RevokeRequest } from "../issuers/issuer.ts";
import { localCa } from "../issuers/local-ca.ts";
import { createIssuer } from "../issuers/manage.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { issue } from "./issue.ts";

/** A CA elsewhere: signs as the local CA does, and keeps what it was asked to revoke. */
const asked: RevokeRequest[] = [];
const remote = defineIssuer({
  kind: "remote",
  title: "A CA elsewhere",
  config: z.strictObject({}),
  refuses: () => null,
  rootPem: () => "",
  test: async () => "fine",
  issue: (request, _config, context) => localCa.issue(request, {}, { ...context, issuerId: "iss-local" }),
  async revoke(request) {
    asked.push(request);
  },
});

let plane: ControlPlane;
const { signal } = new AbortController();

beforeAll(async () => {
  plane = await openControlPlane();
  plane.issuerKinds = new Map([...plane.issuerKinds, [remote.kind, remote]]);
});
afterAll(() => plane[Symbol.asyncDispose]());

describe("a certificate that is signed for a job which was cancelled meanwhile", () => {
  test("is written down and revoked, and is no version", async () => {
    const agent = await newAgent(plane);
    const wanted = { id: "", name: "remote", kind: "remote", config: {}, enabled: true };
    const issuerId = await createIssuer(plane, operator, wanted);
    const id = await newCertificate(plane, { agentId: agent.id, issuerId });
    const job = await openIssuance(plane, agent, id);
    await submitCsr(plane, agent, job);
    const slow = {
      ...remote,
      issue: async (...args: Parameters<typeof remote.issue>) => {
        const issued = await remote.issue(...args);
        await cancelJob(plane, operator, job.id);
        return issued;
      },
    };
    await issue({ ...plane, issuerKinds: new Map([...plane.issuerKinds, ["remote", slow]]) }, job.id, signal);
    expect(await plane.db.certificateVersion.count({ where: { certificateId: id } })).toBe(0);
    expect(asked).toMatchObject([{ reason: "CessationOfOperation" }]);
    const written = await plane.db.auditEvent.findFirstOrThrow({
      where: { resourceId: id, action: "certificate_discarded" },
    });
    expect(written.details).toMatchObject({ serial: asked[0]?.serial, outcome: "revoked" });
  });
});
