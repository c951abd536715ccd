import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeChain } from "../../test/certificates.ts";
import { type Ejbca, startEjbca } from "../../test/fakes/ejbca.ts";
import { openControlPlane } from "../../test/fixtures.ts";
import { askAgain, orderedCertificate } from "../../test/foreign-issuer.ts";
import { issueRequest, type TestContext, testContext } from "../../test/issuer-context.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { readCsr } from "../x509/csr.ts";
import { fromPem, pem } from "../x509/pem.ts";
import { ejbca as issuer } from "./ejbca.ts";
import { type Issued, type IssueRequest, revocationReasons } from "./issuer.ts";

const now = new Date("2030-06-01T12:00:00Z");
const clock = () => now;
let ejbca: Ejbca;
beforeEach(async () => {
  ejbca = await startEjbca(clock);
});
afterEach(() => ejbca[Symbol.asyncDispose]());

const config = (changes: object = {}) => ({
  url: `${ejbca.server.url}/ejbca/ejbca-rest-api`,
  ca: ejbca.server.ca,
  certificate_authority: ejbca.authority,
  certificate_profile: ejbca.certificateProfile,
  end_entity_profile: ejbca.endEntityProfile,
  auth: {
    method: "certificate",
    certificate: ejbca.client.certificatePem,
    private_key: ejbca.client.keyPem,
  },
  ...changes,
});
const wanted = (sans?: string[]) => issueRequest(sans, { now });

async function sign(
  request = wanted(),
  changes: object = {},
  context = testContext({ clock }),
): Promise<Issued> {
  const issued = await issuer.issue(request, config(changes), context);
  if ("pollAfterMs" in issued) throw new Error("EJBCA signs at once");
  return issued;
}

function revocation(issued: Issued, serial: string) {
  const [issuerDer = Buffer.alloc(0)] = fromPem("CERTIFICATE", issued.chainPem[0] ?? "");
  const { leafDer } = issued;
  return { leafDer, issuerDer, serial, reason: "KeyCompromise", authorityId: null, now } as const;
}

describe("EJBCA", () => {
  test("signs for a client certificate, under a user of its own for each key", async () => {
    const request = wanted(["site.example", "10.0.0.7"]);
    const issued = await sign(request);
    checkAnswer(issued, { spki: readCsr(request.csr).spki, sans: request.sans, now });
    expect(issued).toMatchObject({ chainPem: [ejbca.ca.issuerPem], rootPem: ejbca.ca.rootPem });
    await sign(wanted(), { user_prefix: "edge." });
    expect(ejbca.enrolled.map(({ username }) => username)).toEqual([
      `certctl-${request.keyId}`,
      expect.stringMatching(/^edge\.job-/),
    ]);
  });

  test("signs for a token", async () => {
    await sign(wanted(), { auth: { method: "bearer", token: ejbca.token } });
    expect(ejbca.enrolled).toHaveLength(1);
  });

  test("lets nobody else in, and no secret is shown", async () => {
    const stranger = makeChain({ sans: ["other.example"] });
    const other = { method: "certificate", certificate: stranger.leafPem, private_key: stranger.keyPem };
    for (const auth of [other, { method: "bearer", token: "a-wrong-token" }]) {
      const error = await sign(wanted(), { auth }).catch((failure: unknown) => failure);
      expect(error).toMatchObject({
        step: "enrol",
        failureClass: "Configuration",
        message: expect.stringContaining("Client certificate or OAuth bearer token required"),
      });
      expect(String(error)).not.toMatch(/a-wrong-token|PRIVATE KEY/);
    }
  });

  test.each(["certificate_authority", "certificate_profile", "end_entity_profile"])(
    "refuses another %s in its words",
    async (field) => {
      await expect(sign(wanted(), { [field]: "Other" })).rejects.toMatchObject({
        failureClass: "Refused",
        message: expect.stringContaining("Unknown"),
      });
    },
  );

  test("is trusted by the CA that is named alone", async () => {
    await expect(sign(wanted(), { ca: ejbca.ca.rootPem })).rejects.toMatchObject({ failureClass: "Network" });
  });

  test("of a release that takes no enrolments for approval has other profiles asked for", async () => {
    ejbca.approvals = "refused";
    await expect(sign()).rejects.toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("approvals are enabled"),
    });
  });

  test("is asked once for a key, whenever the process ended", async () => {
    const context = testContext({ clock });
    const request = wanted();
    const first = await sign(request, {}, context);
    expect(context.state && issuer.isCommitted?.(context.state)).toBe(true);
    expect(await sign(request, {}, context)).toEqual(first);
    expect(ejbca.enrolled).toHaveLength(1);
  });
});

describe("an enrolment that somebody has to approve", () => {
  const context = () => testContext({ clock });
  const ask = async (request: IssueRequest, at: TestContext) => {
    const { state } = at;
    const again = state && issuer.orderStatus?.(state, request, config(), at);
    return again || issuer.issue(request, config(), at);
  };
  const only = () => {
    const [[id, request] = []] = ejbca.requests;
    if (id === undefined || !request) throw new Error("nothing waits for an approval");
    return { id, request };
  };

  test.each(["numbered", "linked"] as const)("waits, as a %s request, until somebody does", async (form) => {
    ejbca.approvals = form;
    const [request, at] = [wanted(), context()];
    const first = await ask(request, at);
    const { id, request: waiting } = only();
    const message = `waits for somebody to approve request ${id} in EJBCA`;
    expect(first).toEqual({ reference: String(id), pollAfterMs: 60_000, message });
    expect(at.state && issuer.isCommitted?.(at.state)).toBe(true);
    expect(await ask(request, at)).toEqual(first);
    at.clock = () => new Date(now.getTime() + 3_600_000);
    expect(await ask(request, at)).toMatchObject({ pollAfterMs: 15 * 60_000 });
    expect(ejbca.enrolled).toEqual([]);
    waiting.status = "approved";
    const issued = (await ask(request, at)) as Issued;
    checkAnswer(issued, { spki: readCsr(request.csr).spki, sans: request.sans, now });
    expect(issued).toMatchObject({ chainPem: [ejbca.ca.issuerPem], rootPem: ejbca.ca.rootPem });
    // It is not enrolled again, and what was signed is found again.
    expect((await ask(request, at)) as Issued).toEqual(issued);
    expect([ejbca.enrolled.length, ejbca.requests.size]).toEqual([1, 1]);
  });

  test.each(["away", "lost"] as const)(
    "is signed once where finalizing it breaks and its answer is %s",
    async (trouble) => {
      ejbca.approvals = "numbered";
      const [request, at] = [wanted(), context()];
      await ask(request, at);
      only().request.status = "approved";
      for (const call of [/finalize/, /download/]) {
        ejbca.server.befall(call, trouble);
        await expect(ask(request, at)).rejects.toMatchObject({ failureClass: "Network" });
      }
      const issued = (await ask(request, at)) as Issued;
      checkAnswer(issued, { spki: readCsr(request.csr).spki, sans: request.sans, now });
      expect(ejbca.enrolled).toHaveLength(1);
    },
  );

  test.each([
    ["rejected", "has been rejected"],
    ["expired", "has expired"],
    ["failed", "could not be executed"],
  ] as const)("that is %s is told so, and the next attempt enrols anew", async (status, words) => {
    ejbca.approvals = "numbered";
    const [request, at] = [wanted(), context()];
    await ask(request, at);
    only().request.status = status;
    await expect(ask(request, at)).rejects.toMatchObject({
      ...{ failureClass: "Refused", step: "finalize" },
      message: expect.stringContaining(words),
    });
    expect(at.state).toBeNull();
    expect(await ask(request, at)).toMatchObject({ reference: "4712" });
  });

  test("lets a job wait, and ends it once it is approved", async () => {
    await using plane = await openControlPlane();
    ejbca.approvals = "numbered";
    const { certificateId, jobId } = await orderedCertificate(plane, { kind: "ejbca", config: config() });
    const waiting = await askAgain(plane, jobId);
    expect(waiting).toMatchObject({ status: "Running", orders: [{ reference: "4711" }] });
    only().request.status = "approved";
    expect(await askAgain(plane, jobId, 60_000)).toMatchObject({ status: "Completed" });
    const versions = await plane.db.certificateVersion.findMany({ where: { certificateId } });
    expect(versions).toMatchObject([{ serial: ejbca.enrolled[0]?.serial }]);
  });
});

describe("a revocation", () => {
  test("names the CA and the serial number, and is done once", async () => {
    const issued = await sign();
    const serial = ejbca.enrolled[0]?.serial ?? "";
    const request = revocation(issued, serial);
    await issuer.revoke?.(request, config(), testContext({ clock }));
    await issuer.revoke?.(request, config(), testContext({ clock }));
    expect([...ejbca.revoked]).toEqual([[serial.toLowerCase(), "KEY_COMPROMISE"]]);
    expect(pem("CERTIFICATE", request.issuerDer)).toBe(ejbca.ca.issuerPem);
  });

  test.each(revocationReasons)("has a word for %s", async (reason) => {
    const issued = await sign();
    const serial = ejbca.enrolled[0]?.serial ?? "";
    await issuer.revoke?.({ ...revocation(issued, serial), reason }, config(), testContext({ clock }));
    expect(ejbca.revoked.size).toBe(1);
  });

  test("of what EJBCA does not know fails in its words", async () => {
    const request = revocation(await sign(), "00FF");
    await expect(issuer.revoke?.(request, config(), testContext({ clock }))).rejects.toThrow("not found");
  });
});

describe("a revocation that somebody has to approve", () => {
  test("is asked for again, until somebody has", async () => {
    const issued = await sign();
    ejbca.approvesRevocations = true;
    const request = revocation(issued, ejbca.enrolled[0]?.serial ?? "");
    await expect(issuer.revoke?.(request, config(), testContext({ clock }))).rejects.toMatchObject({
      ...{ failureClass: "Refused", message: "a person has to approve the revocation in EJBCA" },
    });
    ejbca.approvesRevocations = false;
    await issuer.revoke?.(request, config(), testContext({ clock }));
    expect(ejbca.revoked.size).toBe(1);
  });
});

describe("the test of an issuer", () => {
  test("says until when the CA signs, and which there are where it is none of them", async () => {
    expect(await issuer.test(config(), testContext({ clock }))).toContain(
      "Issuing CA (CN=Fake Issuing CA) signs until",
    );
    const other = issuer.test(config({ certificate_authority: "Other" }), testContext({ clock }));
    await expect(other).rejects.toThrow("there are ManagementCA, Issuing CA");
    const later = () => new Date("2050-01-01T00:00:00Z");
    await expect(issuer.test(config(), testContext({ clock: later }))).rejects.toThrow("ended at");
  });
});
