import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeChain } from "../../test/certificates.ts";
import { type Ejbca, startEjbca } from "../../test/fakes/ejbca.ts";
import { issueRequest, testContext } from "../../test/issuer-context.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { readCsr } from "../x509/csr.ts";
import { fromPem, pem } from "../x509/pem.ts";
import { ejbca as issuer } from "./ejbca.ts";
import { type Issued, revocationReasons } from "./issuer.ts";

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

  test("that wants an approval is not waited for", async () => {
    ejbca.needsApproval = true;
    await expect(sign()).rejects.toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("profiles that need no approval"),
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
