import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  declaration,
  newAgent,
  newCertificate,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
} from "../../test/fixtures.ts";
import { createCertificate } from "../certificates/declare.ts";
import { issue } from "../certificates/issue.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { mask } from "../connectors/secrets.ts";
import { restoreRow } from "../resources/archive.ts";
import { defineIssuer, IssuerError } from "./issuer.ts";
import { localCa } from "./local-ca.ts";
import { archiveIssuer, createIssuer, issuerKind, updateIssuer } from "./manage.ts";
import { testIssuer, testIssuerConfig } from "./test-issuer.ts";
import { findIssuer, listIssuers } from "./view.ts";

/** A CA elsewhere, which has a secret; it signs as the local CA does. */
const remote = defineIssuer({
  kind: "remote",
  title: "A CA elsewhere",
  config: z.strictObject({
    url: z.url().meta({ destination: true }),
    token: z.string().min(8).meta({ secret: true }),
  }),
  refuses: () => null,
  rootPem: () => "",
  isRepeatable: true,
  async test({ url, token }) {
    if (token !== "right token") throw new IssuerError("test", `${url} refuses the token`, "Refused");
    return `${url} would sign`;
  },
  async issue(request, { token }, context) {
    if (token !== "right token") throw new IssuerError("order", "the token is wrong", "Refused");
    return localCa.issue(request, {}, { ...context, issuerId: "iss-local" });
  },
});

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
  plane.issuerKinds = new Map([...plane.issuerKinds, [remote.kind, remote]]);
});
afterAll(() => plane[Symbol.asyncDispose]());

const right = { url: "https://ca.example", token: "right token" };
let count = 0;
function make(
  changes: { id?: string; name?: string; kind?: string; config?: object; enabled?: boolean } = {},
) {
  count += 1;
  const wanted = {
    id: "",
    name: `issuer ${count}`,
    kind: "remote",
    config: right,
    enabled: true,
    ...changes,
  };
  return createIssuer(plane, operator, { ...wanted, config: { ...wanted.config } });
}
const never = new AbortController().signal;

describe("an issuer", () => {
  test("is stored with its secrets sealed, and written down with them masked", async () => {
    const id = await make();
    const { config } = await plane.db.issuer.findUniqueOrThrow({ where: { id } });
    expect(JSON.stringify(config)).not.toContain("right token");
    const [event] = await plane.db.auditEvent.findMany({ where: { resourceId: id } });
    expect(event).toMatchObject({
      action: "issuer_created",
      details: { after: { kind: "remote", enabled: true, config: { url: right.url, token: mask } } },
    });
  });

  test("signs with the secret that was stored", async () => {
    const agent = await newAgent(plane);
    for (const [token, errorMessage] of [
      ["right token", ""],
      ["wrong token", "the token is wrong"],
    ] as const) {
      const issuerId = await make({ config: { ...right, token } });
      const job = await openIssuance(
        plane,
        agent,
        await newCertificate(plane, { agentId: agent.id, issuerId }),
      );
      await submitCsr(plane, agent, job);
      await issue(plane, job.id, never);
      expect(await plane.db.job.findUniqueOrThrow({ where: { id: job.id } })).toMatchObject({ errorMessage });
    }
  });

  test("keeps a masked secret for its destination only, and never stores the mask", async () => {
    const id = await make();
    const update = (config: object) =>
      updateIssuer(plane, operator, { id, name: `renamed ${id}`, config: { ...config }, enabled: undefined });
    await update({ ...right, token: mask });
    expect(await testIssuer(plane, operator, id, never)).toMatchObject({ ok: true });
    expect(await refusalOf(update({ url: "https://thief.example", token: mask }))).toMatchObject({
      code: "InvalidArgument",
      fields: ["config.token"],
    });
    const stored = JSON.stringify(await plane.db.issuer.findMany());
    expect(stored).not.toContain(mask);
  });

  test("is refused with every mistake in its configuration named", async () => {
    expect(await refusalOf(make({ config: { url: "nowhere", token: "short" } }))).toMatchObject({
      fields: ["config.url", "config.token"],
    });
    expect(await refusalOf(make({ kind: "oracle" }))).toMatchObject({ fields: ["kind"] });
    const id = await make({ name: "taken" });
    expect(await refusalOf(make({ name: "taken" }))).toMatchObject({ reason: "NAME_TAKEN" });
    expect(await refusalOf(make({ id }))).toMatchObject({ code: "AlreadyExists" });
  });

  test("is refused at an address that certctl does not connect to", async () => {
    const config = { ...right, url: "https://169.254.169.254/" };
    const refusal = { fields: ["config.url"], message: expect.stringContaining("never connects there") };
    expect(await refusalOf(make({ config }))).toMatchObject(refusal);
    const id = await make();
    const wanted = { id, name: id, config, enabled: true };
    expect(await refusalOf(updateIssuer(plane, operator, wanted))).toMatchObject(refusal);
    const unsaved = { kind: "remote", config, issuerId: "" };
    expect(await refusalOf(testIssuerConfig(plane, operator, unsaved, never))).toMatchObject(refusal);
  });

  test("says what changed", async () => {
    const id = await make();
    const wanted = {
      id,
      name: `other ${id}`,
      config: { ...right, url: "https://b.example" },
      enabled: false,
    };
    await updateIssuer(plane, operator, wanted);
    const event = await plane.db.auditEvent.findFirstOrThrow({
      where: { resourceId: id, action: "issuer_updated" },
    });
    expect(event.details).toMatchObject({
      before: { enabled: true, config: { url: right.url, token: mask } },
      after: { name: `other ${id}`, enabled: false, config: { url: "https://b.example", token: mask } },
    });
  });
});

describe("a disabled issuer", () => {
  test("refuses renewals, and is not asked for issuances that are under way", async () => {
    const agent = await newAgent(plane);
    const issuerId = await make();
    const certificateId = await newCertificate(plane, { agentId: agent.id, issuerId });
    await renewCertificate(plane, operator, certificateId);
    const job = await claimOne(plane, agent);
    await submitCsr(plane, agent, job);
    const disable = (enabled: boolean) =>
      updateIssuer(plane, operator, { id: issuerId, name: issuerId, config: right, enabled });
    await disable(false);
    await issue(plane, job.id, never);
    expect(await plane.db.job.findUniqueOrThrow({ where: { id: job.id } })).toMatchObject({
      status: "Failed",
      errorStep: "issuer",
      errorMessage: `issuer ${issuerId} is disabled`,
    });
    expect(await refusalOf(renewCertificate(plane, operator, certificateId))).toMatchObject({
      reason: "ISSUER_DISABLED",
    });
    await disable(true);
    await expect(renewCertificate(plane, operator, certificateId)).resolves.toHaveLength(1);
  });

  test("stays as it is where an update does not say", async () => {
    const id = await make({ enabled: false });
    await updateIssuer(plane, operator, { id, name: id, config: right, enabled: undefined });
    expect(await findIssuer(plane.db, id)).toMatchObject({ enabled: false });
  });
});

describe("archiving an issuer", () => {
  test("is refused with counts while something names it", async () => {
    const id = await make();
    await newCertificate(plane, { issuerId: id });
    await newCertificate(plane, { issuerId: id });
    await plane.db.apiKey.create({
      data: { id: "ak-restricted", role: "viewer", secretHash: new Uint8Array(32), issuerIds: [id] },
    });
    expect(await findIssuer(plane.db, id)).toMatchObject({ certificateCount: 2 });
    expect(await refusalOf(archiveIssuer(plane, operator, id))).toMatchObject({
      reason: "IN_USE",
      message: `issuer ${id} is in use by 2 certificates, 1 api key`,
    });
  });

  test("takes it out of lists and of reach, until it is restored", async () => {
    const id = await make({ name: "going" });
    await archiveIssuer(plane, operator, id);
    const list = (archived: boolean) =>
      listIssuers(plane.db, {
        page: 1,
        perPage: 100,
        sort: "name",
        cursor: "",
        archived,
        q: "GOING",
        kind: "remote",
      });
    expect((await list(false)).rows).toEqual([]);
    expect((await list(true)).rows).toMatchObject([{ id }]);
    expect(
      await refusalOf(createCertificate(plane, operator, "", declaration({ issuerId: id }))),
    ).toMatchObject({
      fields: ["issuer_id"],
    });
    const update = updateIssuer(plane, operator, { id, name: "x", config: right, enabled: true });
    expect(await refusalOf(update)).toMatchObject({ reason: "ARCHIVED" });
    await restoreRow(plane.db, operator, issuerKind, id);
    expect((await list(false)).rows).toMatchObject([{ id }]);
  });
});

describe("testing an issuer", () => {
  test("asks the CA, saved or not, and is written down", async () => {
    const id = await make({ config: { ...right, token: "wrong token" } });
    expect(await testIssuer(plane, operator, id, never)).toEqual({
      ok: false,
      message: "https://ca.example refuses the token",
    });
    const saved = await make();
    const masked = { kind: "remote", config: { ...right, token: mask }, issuerId: saved };
    expect(await testIssuerConfig(plane, operator, masked, never)).toMatchObject({ ok: true });
    const moved = { ...masked, config: { url: "https://thief.example", token: mask } };
    expect(await refusalOf(testIssuerConfig(plane, operator, moved, never))).toMatchObject({
      fields: ["config.token"],
    });
    const events = await plane.db.auditEvent.findMany({ where: { resourceId: id, action: "issuer_tested" } });
    expect(events).toMatchObject([{ details: { ok: false } }]);
  });

  test("of the local CA says until when it signs, and that it has ended", async () => {
    const first = await testIssuer(plane, operator, "iss-local", never);
    expect(first).toMatchObject({ ok: true, message: expect.stringMatching(/signs until 20/) });
    const later = () => new Date(plane.time.now.getTime() + 40 * 365 * dayMs);
    const ended = await testIssuer({ ...plane, clock: later }, operator, "iss-local", never);
    expect(ended).toMatchObject({ ok: false, message: expect.stringContaining("the CA ended at") });
  });
});
