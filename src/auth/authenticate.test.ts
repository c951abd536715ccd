import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  hourMs,
  newAgent,
  newCsr,
  newKey,
  openControlPlane,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { enroll, renewIdentity } from "../agents/enroll.ts";
import { agentUri } from "../agents/identity.ts";
import { createJoinToken, registerAgent } from "../agents/register.ts";
import { type Authority, makeAuthority } from "../authorities/authority.ts";
import { leafContent } from "../authorities/leaf.ts";
import { newId } from "../platform/ids.ts";
import { signCertificate, tbsCertificate } from "../x509/certificate.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import { spkiOf } from "../x509/keys.ts";
import { createAuthenticate, requireInForce } from "./authenticate.ts";
import { unrestricted } from "./grants.ts";
import type { AgentPrincipal, Principal } from "./principal.ts";
import { newSecret } from "./secrets.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

function authenticate(
  credentials: { authorization?: string; certificate?: X509Certificate },
  agentAuth: "mtls" | "api_key" | "both" = "both",
): Promise<Principal | null> {
  const { db, authorities, clock } = plane;
  const check = createAuthenticate({ db, agentCa: authorities.byRole["agent-ca"], agentAuth, clock });
  return check({ authorization: null, session: null, certificate: null, ...credentials });
}

const byKey = (key: string, agentAuth?: "mtls" | "api_key" | "both") =>
  authenticate({ authorization: `Bearer ${key}` }, agentAuth);

async function adminKey(): Promise<string> {
  const id = newId("ak");
  const { token, hash } = newSecret(id);
  await plane.db.apiKey.create({ data: { id, role: "admin", secretHash: hash } });
  return token;
}

async function joined(agentId = ""): Promise<{ agentId: string; certificate: X509Certificate }> {
  const { token } = await createJoinToken(plane, operator, { agentId, maxUses: 1, ttlSeconds: 0 });
  const { csrPem } = newCsr([]);
  const answer = await enroll(plane, "req", { token, csrPem, name: "", hostname: "" });
  return { agentId: answer.agentId, certificate: new X509Certificate(answer.certificatePem) };
}

async function renewed(principal: Principal | null): Promise<X509Certificate> {
  if (principal?.kind !== "agent") throw new Error("only agents renew their identity");
  const actor = { type: "Agent", id: principal.id, requestId: "req", grants: unrestricted } as const;
  return new X509Certificate(await renewIdentity(plane, { principal, actor }, newCsr([]).csrPem));
}

/** A leaf that says it is an agent's, signed by whichever CA. */
function leafOf(ca: Authority, usages: string[], signer = ca.key) {
  const content = leafContent(ca, {
    commonName: "ag-x",
    sans: [{ type: "uri", value: agentUri(plane.authorities.trustDomain, "ag-x") }],
    spki: spkiOf(newKey()),
    isRsa: false,
    usages,
    validitySeconds: 86_400,
    now: plane.time.now,
  });
  return new X509Certificate(signCertificate(tbsCertificate(content, signer), signer));
}

const ended = { code: "Unauthenticated", reason: "IDENTITY_ENDED" };

describe("no credential at all", () => {
  test("is nobody", async () => {
    expect(await authenticate({})).toBeNull();
  });
});

describe("an API key", () => {
  test("of an operator or an agent says who calls", async () => {
    const key = await adminKey();
    const id = key.split("_")[0];
    expect(await byKey(key)).toEqual({ kind: "operator", id, role: "admin", grants: unrestricted });
    const { agent, apiKey } = await registerAgent(plane.db, operator, { id: "", name: "x" });
    expect(await byKey(apiKey)).toMatchObject({
      kind: "agent",
      id: agent.id,
      credential: { kind: "api_key" },
    });
  });

  test("is refused when it is wrong, unknown or malformed, in the same words", async () => {
    const [id = ""] = (await adminKey()).split("_");
    const secret = "A".repeat(43);
    for (const key of [
      `${id}_${secret}`,
      `ak-unknown_${secret}`,
      id,
      "",
      `jt-x_${secret}`,
      `${id}_${secret}A`,
    ]) {
      const refusal = await refusalOf(byKey(key));
      expect(refusal).toMatchObject({ code: "Unauthenticated", message: "the API key is unknown or wrong" });
    }
  });

  test("is taken in the Bearer scheme only", async () => {
    const key = await adminKey();
    await expect(authenticate({ authorization: `bearer ${key}` })).resolves.toMatchObject({ role: "admin" });
    for (const authorization of [`Basic ${key}`, key]) {
      expect(await refusalOf(authenticate({ authorization }))).toMatchObject({ code: "Unauthenticated" });
    }
  });

  test("that is wrong is not made up for by a good certificate", async () => {
    const { certificate } = await joined();
    const call = authenticate({ authorization: "Bearer nothing", certificate });
    expect(await refusalOf(call)).toMatchObject({ code: "Unauthenticated" });
  });
});

describe("CERTCTL_AGENT_AUTH", () => {
  test.each(["both", "api_key"] as const)("%s admits an agent's API key", async (agentAuth) => {
    const { apiKey } = await registerAgent(plane.db, operator, { id: "", name: "x" });
    await expect(byKey(apiKey, agentAuth)).resolves.toMatchObject({ kind: "agent" });
  });

  test.each(["both", "mtls"] as const)("%s admits an agent's certificate", async (agentAuth) => {
    const { certificate } = await joined();
    await expect(authenticate({ certificate }, agentAuth)).resolves.toMatchObject({ kind: "agent" });
  });

  test("mtls refuses an agent's API key and admits an operator's", async () => {
    const { apiKey } = await registerAgent(plane.db, operator, { id: "", name: "x" });
    expect(await refusalOf(byKey(apiKey, "mtls"))).toMatchObject({ code: "Unauthenticated" });
    await expect(byKey(await adminKey(), "mtls")).resolves.toMatchObject({ kind: "operator" });
  });

  test("api_key refuses an agent's certificate", async () => {
    const { certificate } = await joined();
    expect(await refusalOf(authenticate({ certificate }, "api_key"))).toMatchObject({
      code: "Unauthenticated",
    });
  });
});

describe("an agent's certificate", () => {
  test("says which agent calls, and until when it may", async () => {
    const { agentId, certificate } = await joined();
    expect(await authenticate({ certificate })).toMatchObject({
      kind: "agent",
      id: agentId,
      credential: { serial: certificate.serialNumber, notAfter: new Date(certificate.validTo) },
    });
  });

  test("is refused from its end on", async () => {
    const { certificate } = await joined();
    const before = plane.time.now;
    plane.time.now = new Date(certificate.validTo);
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject({ reason: "IDENTITY_EXPIRED" });
    plane.time.now = before;
  });

  test("is refused when the agent CA signed it and nobody stored it", async () => {
    const certificate = leafOf(plane.authorities.byRole["agent-ca"], [extendedKeyUsage.clientAuth]);
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject(ended);
  });

  test("is refused after the agent joined again", async () => {
    const { agentId, certificate } = await joined();
    await joined(agentId);
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject(ended);
  });
});

describe("a certificate that is no agent's", () => {
  const roles = ["issuing-ca", "server-ca", "system-root", "issuing-root"] as const;
  test.each(roles)("is refused when %s signed it, whatever it says", async (role) => {
    const certificate = leafOf(plane.authorities.byRole[role], [extendedKeyUsage.clientAuth]);
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject({ reason: "NOT_AN_AGENT" });
  });

  test("is refused when it is a server's", async () => {
    const certificate = leafOf(plane.authorities.byRole["agent-ca"], [extendedKeyUsage.serverAuth]);
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject({ reason: "NOT_AN_AGENT" });
  });

  test("is refused when it is a CA's", async () => {
    const { certificate } = plane.authorities.byRole["agent-ca"];
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject({ reason: "NOT_AN_AGENT" });
  });

  test("is refused when a CA that copies the agent CA's name signed it", async () => {
    const { trustDomain, byRole } = plane.authorities;
    const parent = byRole["system-root"];
    const options = { id: "ca-fake", role: "agent-ca", parent, trustDomain, now: plane.time.now } as const;
    const certificate = leafOf(makeAuthority(options), [extendedKeyUsage.clientAuth]);
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject({ reason: "NOT_AN_AGENT" });
  });

  test("is refused when it names the agent CA and its key, and another key signed it", async () => {
    const agentCa = plane.authorities.byRole["agent-ca"];
    const certificate = leafOf(agentCa, [extendedKeyUsage.clientAuth], newKey());
    expect(await refusalOf(authenticate({ certificate }))).toMatchObject({ reason: "NOT_AN_AGENT" });
  });
});

describe("a renewed identity", () => {
  test("leaves the old one in force until it is used, and then ends it", async () => {
    const { agentId, certificate: old } = await joined();
    const fresh = await renewed(await authenticate({ certificate: old }));
    await expect(authenticate({ certificate: old })).resolves.toMatchObject({ id: agentId });
    await expect(authenticate({ certificate: fresh })).resolves.toMatchObject({ id: agentId });
    expect(await refusalOf(authenticate({ certificate: old }))).toMatchObject(ended);
    await expect(authenticate({ certificate: fresh })).resolves.toMatchObject({ id: agentId });
  });

  test("that was never used ends with the next one's first use", async () => {
    const { agentId, certificate: old } = await joined();
    const unused = await renewed(await authenticate({ certificate: old }));
    plane.time.now = new Date(plane.time.now.getTime() + hourMs);
    const used = await renewed(await authenticate({ certificate: old }));
    await expect(authenticate({ certificate: used })).resolves.toMatchObject({ id: agentId });
    expect(await refusalOf(authenticate({ certificate: unused }))).toMatchObject(ended);
    await expect(authenticate({ certificate: used })).resolves.toMatchObject({ id: agentId });
  });

  test("does not end one that was made after it", async () => {
    const { agentId, certificate: old } = await joined();
    const first = await renewed(await authenticate({ certificate: old }));
    plane.time.now = new Date(plane.time.now.getTime() + hourMs);
    const second = await renewed(await authenticate({ certificate: old }));
    await authenticate({ certificate: first });
    await expect(authenticate({ certificate: second })).resolves.toMatchObject({ id: agentId });
  });

  test("does not touch another agent's", async () => {
    const [one, other] = [await joined(), await joined()];
    await authenticate({ certificate: other.certificate });
    await authenticate({ certificate: await renewed(await authenticate({ certificate: one.certificate })) });
    await expect(authenticate({ certificate: other.certificate })).resolves.toMatchObject({
      id: other.agentId,
    });
  });

  test("is refused to a credential that has ended meanwhile", async () => {
    const { agentId, certificate } = await joined();
    const principal = await authenticate({ certificate });
    await joined(agentId);
    expect(await refusalOf(renewed(principal))).toMatchObject(ended);
  });

  test("is refused over a key that is in use", async () => {
    const { token } = await createJoinToken(plane, operator, { agentId: "", maxUses: 1, ttlSeconds: 0 });
    const { csrPem } = newCsr([]);
    const { certificatePem } = await enroll(plane, "req", { token, csrPem, name: "", hostname: "" });
    const principal = await authenticate({ certificate: new X509Certificate(certificatePem) });
    const caller = { principal: principal as AgentPrincipal, actor: operator };
    expect(await refusalOf(renewIdentity(plane, caller, csrPem))).toMatchObject({ reason: "KEY_REUSED" });
  });

  test("is written down", async () => {
    const { agentId, certificate } = await joined();
    await renewed(await authenticate({ certificate }));
    const where = { resourceId: agentId, action: "agent_identity_renewed" };
    expect(await plane.db.auditEvent.findFirstOrThrow({ where })).toMatchObject({ actor: agentId });
  });
});

describe("a write reads the credential again", () => {
  const inForce = (principal: AgentPrincipal) => plane.db.$transaction((tx) => requireInForce(tx, principal));

  test("and refuses it once it has ended", async () => {
    const { agentId, certificate } = await joined();
    const principal = (await authenticate({ certificate })) as AgentPrincipal;
    await expect(inForce(principal)).resolves.toBeUndefined();
    await joined(agentId);
    expect(await refusalOf(inForce(principal))).toMatchObject(ended);
    const agent = await newAgent(plane);
    await expect(inForce(agent.caller.principal)).resolves.toBeUndefined();
    await plane.db.apiKey.deleteMany({ where: { agentId: agent.id } });
    expect(await refusalOf(inForce(agent.caller.principal))).toMatchObject(ended);
  });
});
