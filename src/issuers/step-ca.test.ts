import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type StepCa, startStepCa } from "../../test/fakes/step-ca.ts";
import { newCsr } from "../../test/fixtures.ts";
import { issueRequest, testContext } from "../../test/issuer-context.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { readCsr } from "../x509/csr.ts";
import { type Issued, revocationReasons } from "./issuer.ts";
import { stepCa as issuer } from "./step-ca.ts";

// TLS is verified by the machine's clock.
const now = new Date();
const clock = () => now;
let step: StepCa;
beforeEach(async () => {
  step = await startStepCa(clock);
});
afterEach(() => step[Symbol.asyncDispose]());

const config = (changes: object = {}) => ({
  url: step.server.url,
  root_fingerprint: step.fingerprint,
  provisioner: step.provisioner.name,
  key: { from: "password", password: step.provisioner.password },
  ...changes,
});
const given = (jwk: object = step.provisioner.privateJwk) => ({
  key: { from: "jwk", jwk: JSON.stringify(jwk) },
});
const foreign = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });

/** For a key that was never asked for. */
async function sign(request = issueRequest(undefined, { now }), changes: object = {}): Promise<Issued> {
  const issued = await issuer.issue(request, config(changes), testContext({ clock }));
  if ("pollAfterMs" in issued) throw new Error("step-ca signs at once");
  return issued;
}

describe("step-ca", () => {
  test("signs for a token that names what the CSR has, by the key that a password opens", async () => {
    const request = issueRequest(["site.example", "www.site.example", "10.0.0.7"], { now });
    const issued = await sign(request);
    checkAnswer(issued, { spki: readCsr(request.csr).spki, sans: request.sans, now });
    expect(issued).toMatchObject({
      chainPem: [step.ca.issuerPem],
      rootPem: step.ca.rootPem,
      authorityId: null,
    });
    const { validTo } = new X509Certificate(issued.leafDer);
    const end = now.getTime() + request.validitySeconds * 1_000;
    expect(Math.abs(Date.parse(validTo) - end)).toBeLessThan(1_000);
    expect(step.signed).toMatchObject([{ subject: "site.example", sans: request.sans }]);
  });

  test("signs by a key that is given, with the common name of the CSR or, without any, the first name", async () => {
    const sans = ["a.example", "b.example"];
    const { der } = newCsr(sans, { commonName: "b.example" });
    await sign(issueRequest(sans, { now, csr: der, commonName: "b.example" }), given());
    await sign(issueRequest(sans, { now, commonName: "" }), given());
    expect(step.signed).toMatchObject([{ subject: "b.example" }, { subject: "a.example" }]);
    expect(step.server.calls.some((call) => call.includes("/provisioners"))).toBe(false);
  });

  test("finds a provisioner behind many others", async () => {
    step.others = 250;
    await sign();
    expect(step.server.calls.filter((call) => call.includes("/provisioners"))).toHaveLength(3);
  });

  test("is trusted by the root that was pinned alone", async () => {
    const other = await startStepCa(clock);
    try {
      await expect(sign(undefined, { root_fingerprint: other.fingerprint })).rejects.toMatchObject({
        failureClass: "Configuration",
        message: expect.stringContaining("root was not found"),
      });
      step.server.befall(/root/, { status: 200, body: { ca: other.ca.rootPem } });
      await expect(sign()).rejects.toMatchObject({
        failureClass: "Configuration",
        message: expect.stringContaining("another fingerprint; it is not trusted"),
      });
      // Somebody in between passes on the true root, and cannot answer with a certificate of it.
      other.server.befall(/root/, { status: 200, body: { ca: step.ca.rootPem } }, 9);
      await expect(sign(undefined, { url: other.server.url })).rejects.toMatchObject({
        failureClass: "Network",
      });
      expect(other.server.calls).toEqual([`GET /root/${step.fingerprint}`]);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  test("refuses in its own words", async () => {
    step.maxSeconds = 86_400;
    await expect(sign()).rejects.toMatchObject({
      step: "sign",
      failureClass: "Refused",
      message: expect.stringContaining("is more than the authorized maximum certificate duration"),
    });
    const error = await sign(undefined, given(foreign())).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ failureClass: "Configuration", message: expect.stringContaining("401") });
  });

  test.each([
    ["provisioner", { provisioner: "nobody" }, "has no JWK provisioner nobody"],
    ["password", { key: { from: "password", password: "not this one" } }, "the password opens no key"],
    ["key", { key: { from: "jwk", jwk: "{}" } }, "is no private JWK"],
  ])("says what is wrong with the %s, and shows no secret", async (_what, changes, words) => {
    const error = await sign(undefined, changes).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ failureClass: "Configuration", message: expect.stringContaining(words) });
    expect(String(error)).not.toContain("not this one");
  });

  test("is not asked again for what it signed", async () => {
    const context = testContext({ clock });
    const request = issueRequest(undefined, { now });
    const first = await issuer.issue(request, config(), context);
    expect(context.state && issuer.isCommitted?.(context.state)).toBe(true);
    expect(await issuer.issue(request, config(), context)).toEqual(first);
    expect(step.signed).toHaveLength(1);
  });
});

describe("a revocation", () => {
  test.each(revocationReasons)("for %s is done, and done again is fine", async (reason) => {
    const issued = await sign();
    const { serialNumber: serial } = new X509Certificate(issued.leafDer);
    const [issuerPem = ""] = issued.chainPem;
    const issuerDer = new X509Certificate(issuerPem).raw;
    const request = { leafDer: issued.leafDer, issuerDer, serial, reason, authorityId: null, now };
    const codes = { Unspecified: 0, KeyCompromise: 1, CaCompromise: 2, AffiliationChanged: 3, Superseded: 4 };
    const code = { ...codes, CessationOfOperation: 5, PrivilegeWithdrawn: 9 }[reason];
    for (const changes of [{}, given()])
      await issuer.revoke?.(request, config(changes), testContext({ clock }));
    expect([...step.revoked]).toEqual(step.signed.map((each) => [each.serial, code]));
    const refused = issuer.revoke?.(request, config(given(foreign())), testContext({ clock }));
    await expect(refused).rejects.toMatchObject({ step: "revoke", failureClass: "Configuration" });
  });
});

describe("a test", () => {
  const probe = (changes: object = {}) => issuer.test(config(changes), testContext({ clock }));

  test("says who signs, and for how long at most; nothing is signed", async () => {
    const words = "provisioner certctl@example.com signs below CN=Fake Root, for at most 2400h0m0s";
    expect(await probe()).toBe(words);
    expect(await probe(given())).toBe(words);
    expect(step.signed).toEqual([]);
  });

  test("fails for a key of somebody else, and while the CA is not well", async () => {
    await expect(probe(given(foreign()))).rejects.toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("the key is none of the provisioner"),
    });
    step.health = "database is locked";
    await expect(probe()).rejects.toThrow("database is locked");
  });
});
