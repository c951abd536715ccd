import { X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { spkiOf } from "../x509/keys.ts";
import { fromPem } from "../x509/pem.ts";
import { enroll, renewIdentity } from "./enroll.ts";
import { createJoinToken, endJoinToken } from "./register.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

async function newToken({ agentId = "", maxUses = 0, ttlSeconds = 0 } = {}) {
  return createJoinToken(plane, operator, { agentId, maxUses, ttlSeconds });
}

const join = (token: string, csr = newCsr([])) =>
  enroll(plane, "req-3", { token, csrPem: csr.csrPem, name: "", hostname: "web-1.example" });

const identitiesOf = (agentId: string) =>
  plane.db.agentIdentity.findMany({ where: { agentId }, orderBy: { createdAt: "asc" } });
const later = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};

describe("joining", () => {
  test("makes a new agent and a client certificate over its own key", async () => {
    const csr = newCsr(["anything.example"], { commonName: "anything.example" });
    const { agentId, certificatePem } = await join((await newToken()).token, csr);
    expect(agentId).toMatch(/^ag-[a-z2-7]{12}$/);
    const [leafDer, caDer] = fromPem("CERTIFICATE", certificatePem);
    const leaf = new X509Certificate(leafDer ?? "");
    expect(caDer).toEqual(plane.authorities.byRole["agent-ca"].der);
    expect(leaf.subject).toBe(`CN=${agentId}`);
    expect(leaf.subjectAltName).toBe(`URI:spiffe://${plane.authorities.trustDomain}/agent/${agentId}`);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(leaf.publicKey.export({ type: "spki", format: "der" })).toEqual(spkiOf(csr.key));
    const lifetimeMs = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
    expect(lifetimeMs).toBe(24 * hourMs - 1000);
    const [identity] = await identitiesOf(agentId);
    expect(identity).toMatchObject({ serial: leaf.serialNumber, activatedAt: null, retiredAt: null });
  });

  test("under a token that is minted for an id gives that id", async () => {
    const { token } = await newToken({ agentId: "ag-web-1" });
    expect(await join(token)).toMatchObject({ agentId: "ag-web-1" });
  });

  test("uses a token as often as it may be used, for another agent each time", async () => {
    const { token } = await newToken({ maxUses: 2 });
    const ids = [(await join(token)).agentId, (await join(token)).agentId];
    expect(new Set(ids).size).toBe(2);
    expect(await refusalOf(join(token))).toMatchObject({ code: "Unauthenticated", reason: "TOKEN_USED" });
  });

  test("of many at once uses a token once", async () => {
    const { token } = await newToken();
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => join(token)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("is written down with the token that was used", async () => {
    const { token, joinToken } = await newToken();
    const { agentId } = await join(token);
    const event = await plane.db.auditEvent.findFirstOrThrow({ where: { resourceId: agentId } });
    expect(event).toMatchObject({
      action: "agent_enrolled",
      actor: agentId,
      actorType: "Agent",
      requestId: "req-3",
      details: { join_token_id: joinToken.id, hostname: "web-1.example" },
    });
    expect(inspect(event)).not.toContain(token.slice(-43));
  });
});

describe("joining is refused", () => {
  test("with a token that has expired", async () => {
    const { token } = await newToken({ ttlSeconds: 60 });
    later(60_000);
    expect(await refusalOf(join(token))).toMatchObject({ code: "Unauthenticated", reason: "TOKEN_EXPIRED" });
  });

  test("with a token that was ended", async () => {
    const { token, joinToken } = await newToken();
    await endJoinToken(plane, operator, joinToken.id);
    expect(await refusalOf(join(token))).toMatchObject({ reason: "TOKEN_EXPIRED" });
  });

  test("with a token that is unknown, wrong or none, without saying which", async () => {
    const { token, joinToken } = await newToken();
    const wrong = [
      `${joinToken.id}_${"A".repeat(43)}`,
      `jt-unknown_${"A".repeat(43)}`,
      "hello",
      `${token}x`,
      "",
    ];
    const refusals = await Promise.all(wrong.map((text) => refusalOf(join(text))));
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: "Unauthenticated", reason: "TOKEN_UNKNOWN" });
      expect(refusal.message).toBe(refusals[0]?.message);
    }
  });

  test("with a CSR that is none, or was not made by its key", async () => {
    const { token } = await newToken();
    const csr = newCsr([]);
    const broken = csr.csrPem.replace(/(.{40})\n-----END/, `${"A".repeat(40)}\n-----END`);
    for (const csrPem of ["", "hello", broken]) {
      const refusal = await refusalOf(join(token, { ...csr, csrPem }));
      expect(refusal).toMatchObject({ code: "InvalidArgument", fields: ["csr_pem"] });
    }
    await expect(join(token, csr)).resolves.toBeDefined();
  });

  test("with a key that another agent joined with", async () => {
    const csr = newCsr([]);
    await join((await newToken()).token, csr);
    const { token, joinToken } = await newToken();
    const refusal = { code: "FailedPrecondition", reason: "KEY_REUSED", fields: ["csr_pem"] };
    expect(await refusalOf(join(token, csr))).toMatchObject(refusal);
    const { uses } = await plane.db.joinToken.findUniqueOrThrow({ where: { id: joinToken.id } });
    expect(uses).toBe(0);
  });
});

describe("a key of another use is refused as an identity's", () => {
  const refusal = { code: "FailedPrecondition", reason: "KEY_REUSED", fields: ["csr_pem"] };

  test("when a certificate has it", async () => {
    const agent = await newAgent(plane);
    const csr = newCsr(["site.example"]);
    await issueVersion(plane, agent, await newCertificate(plane, { agentId: agent.id }), csr);
    expect(await refusalOf(join((await newToken()).token, csr))).toMatchObject(refusal);
    expect(await refusalOf(renewIdentity(plane, agent.caller, csr.csrPem))).toMatchObject(refusal);
  });

  test("when a CA has it", async () => {
    const csr = newCsr([], { key: plane.authorities.byRole["agent-ca"].key });
    expect(await refusalOf(join((await newToken()).token, csr))).toMatchObject(refusal);
  });
});

describe("a repeated join", () => {
  test("with the same key answers the same certificate, though the token is used up", async () => {
    const { token } = await newToken();
    const csr = newCsr([]);
    const first = await join(token, csr);
    later(14 * 60_000);
    expect(await join(token, csr)).toEqual(first);
    expect(await identitiesOf(first.agentId)).toHaveLength(1);
  });

  test("with another key is refused", async () => {
    const { token } = await newToken();
    await join(token);
    expect(await refusalOf(join(token))).toMatchObject({ reason: "TOKEN_USED" });
  });

  test("is refused after a while", async () => {
    const { token } = await newToken();
    const csr = newCsr([]);
    await join(token, csr);
    later(15 * 60_000 + 1);
    expect(await refusalOf(join(token, csr))).toMatchObject({ reason: "TOKEN_USED" });
  });

  test("is refused once its identity was retired", async () => {
    const { token } = await newToken({ agentId: "ag-again" });
    const csr = newCsr([]);
    const { agentId } = await join(token, csr);
    await join((await newToken({ agentId })).token);
    expect(await refusalOf(join(token, csr))).toMatchObject({ reason: "TOKEN_USED" });
  });
});

describe("joining under the id of an agent that exists", () => {
  test("retires its old identities, ends its stream and raises its epoch", async () => {
    const { agentId } = await join((await newToken()).token);
    await plane.db.agent.update({ where: { id: agentId }, data: { sessionEpoch: 7, sessionId: "open" } });
    const { token } = await newToken({ agentId });
    expect(await join(token)).toMatchObject({ agentId });
    const [old, fresh] = await identitiesOf(agentId);
    expect(old?.retiredAt).toEqual(plane.time.now);
    expect(fresh?.retiredAt).toBeNull();
    const agent = await plane.db.agent.findUniqueOrThrow({ where: { id: agentId } });
    expect(agent).toMatchObject({ sessionEpoch: 8, sessionId: null, hostname: "web-1.example" });
  });

  test("takes a token that was minted for it: others make new ids", async () => {
    const { agentId } = await join((await newToken()).token);
    expect((await join((await newToken()).token)).agentId).not.toBe(agentId);
    const minted = newToken({ agentId, maxUses: 2 });
    expect(await refusalOf(minted)).toMatchObject({ code: "InvalidArgument", fields: ["max_uses"] });
  });
});
