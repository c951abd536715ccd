import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Sectigo, startSectigo } from "../../test/fakes/sectigo.ts";
import { newCsr, openControlPlane } from "../../test/fixtures.ts";
import {
  askAgain,
  failureOf,
  orderedCertificate,
  refusalContext,
  requestAt,
  revokeVersion,
} from "../../test/foreign-issuer.ts";
import { type TestContext, testContext } from "../../test/issuer-context.ts";
import {
  type Issued,
  type IssueRequest,
  type Ordered,
  type RevocationReason,
  revocationReasons,
} from "./issuer.ts";
import { sectigo } from "./sectigo.ts";

let fake: Sectigo;
let now: Date;
const clock = () => now;
const pass = (ms: number) => {
  now = new Date(now.getTime() + ms);
};

beforeEach(async () => {
  now = new Date("2030-06-01T12:00:00Z");
  fake = await startSectigo(clock);
});
afterEach(() => fake[Symbol.asyncDispose]());

const config = (changes: object = {}) => ({
  customer_uri: fake.customerUri,
  login: fake.login,
  password: fake.password,
  organization_id: fake.organization,
  certificate_profile_id: fake.profile.id,
  url: `${fake.server.url}/api`,
  ca: fake.server.ca,
  ...changes,
});
const probe = (changes: object = {}) => sectigo.test(config(changes), testContext({ clock }));
const issue = (request: IssueRequest, changes: object = {}, context = testContext({ clock })) =>
  sectigo.issue(request, config(changes), context) as Promise<Issued | Ordered>;
const status = (request: IssueRequest, context: TestContext) =>
  sectigo.orderStatus?.(context.state ?? {}, request, config(), context) as Promise<Issued | Ordered>;
const revoke = (serial: string, reason: RevocationReason) =>
  sectigo.revoke?.(
    { reason, serial, leafDer: Buffer.of(), issuerDer: Buffer.of(), authorityId: null, now },
    config(),
    testContext({ clock }),
  ) as Promise<void>;

describe("Sectigo Certificate Manager", () => {
  test("is tested by what it says of the profile", async () => {
    expect(await probe()).toBe("profile Public SSL signs for 30, 46, 199 days in organization 103");
  });

  test.each<[string, () => object, string, RegExp]>([
    ["customer_uri", () => ({ customer_uri: "cst1" }), "Configuration", /401 .*Unknown user \(-16\)/],
    ["login", () => ({ login: "nobody" }), "Configuration", /Unknown user/],
    ["password", () => ({ password: "another" }), "Configuration", /Unknown user/],
    ["organization_id", () => ({ organization_id: 7 }), "Configuration", /organization 7 has no certificate/],
    ["certificate_profile_id", () => ({ certificate_profile_id: 8 }), "Configuration", /no .* profile 8$/],
    ["url", () => ({ url: "https://localhost:1/api" }), "Network", /ECONNREFUSED/],
    ["ca", () => ({ ca: undefined }), "Network", /certificate/],
  ])("is not asked with another %s", async (_field, changes, failureClass, words) => {
    const failure = await failureOf(probe(changes()));
    expect(failure).toMatchObject({ failureClass, message: expect.stringMatching(words) });
    expect(failure.message).not.toContain(fake.password);
  });

  test("refuses what it has no place for before it is declared", () => {
    const refusal = (sans: string[], validitySeconds: number) =>
      sectigo.refuses({ sans, validitySeconds, keyAlgorithm: "RSA-2048" }, config(), refusalContext);
    expect(refusal(["a.example", "*.b.example", "192.0.2.1"], 86_400)).toBeNull();
    expect(refusal(["me@b.example"], 86_400)).toMatchObject({ field: "sans" });
    expect(refusal(["a.example"], 86_399)).toMatchObject({ field: "validity_seconds" });
  });

  test("makes a certificate of the names and key that were asked for, for the longest term that fits", async () => {
    const { leafDer, chainPem, rootPem } = (await issue(requestAt(now))) as Issued;
    const leaf = new X509Certificate(leafDer);
    expect(leaf.subjectAltName).toBe("DNS:site.example, DNS:www.site.example");
    expect(Date.parse(leaf.validTo)).toBe(now.getTime() + 46 * 86_400_000);
    expect(chainPem.map((text) => new X509Certificate(text).subject)).toEqual(["CN=Fake Issuing CA"]);
    expect(new X509Certificate(rootPem).subject).toBe("CN=Fake Root");
    await issue(requestAt(now, { validitySeconds: 45.9 * 86_400 }));
    expect(fake.last().request.term).toBe(30);
    const context = testContext({ clock });
    const short = requestAt(now, { validitySeconds: 7 * 86_400 });
    expect(await failureOf(issue(short, {}, context))).toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("signs for 30, 46, 199 days, the certificate is to have 7"),
    });
    expect(context.state).toBeNull();
  });

  test("is asked for what is configured", async () => {
    await issue(requestAt(now));
    expect(fake.last().request).not.toHaveProperty("externalRequester");
    expect(fake.last().request).not.toHaveProperty("dcvMode");
    expect(fake.last().request).not.toHaveProperty("customFields");
    await issue(requestAt(now), { external_requester: "web@acme.example", dcv_mode: "CNAME" });
    expect(fake.last().request).toMatchObject({ externalRequester: "web@acme.example", dcvMode: "CNAME" });
    fake.customFields = ["Cost centre", "Owner"];
    expect(await failureOf(probe({ custom_fields: { Owner: "web" } }))).toMatchObject({
      failureClass: "Configuration",
      message: "the account demands custom fields: Cost centre",
    });
    const all = { custom_fields: { Owner: "web", "Cost centre": "4711" } };
    await probe(all);
    await issue(requestAt(now), all);
    expect(fake.last().request.customFields).toContainEqual({ name: "Cost centre", value: "4711" });
  });

  test("is asked for a request that waits, less often after a while", async () => {
    fake.approves = true;
    const context = testContext({ clock });
    const request = requestAt(now);
    expect(await issue(request, {}, context)).toEqual({
      reference: "50",
      pollAfterMs: 30_000,
      message: "waits for the approval of an administrator at Sectigo",
    });
    fake.last().status = "Applied";
    pass(11 * 60_000);
    expect(await status(request, context)).toEqual({
      reference: "50",
      pollAfterMs: 600_000,
      message: "is Applied at Sectigo",
    });
    // Its status may run ahead of the certificate.
    fake.last().status = "Issued";
    expect(await status(request, context)).toMatchObject({ message: "is Issued at Sectigo" });
    fake.proceed();
    expect(await status(request, context)).toHaveProperty("leafDer");
    expect(fake.certificates).toHaveLength(1);
  });

  test("that declines a request has refused; the next attempt places another", async () => {
    fake.approves = true;
    const context = testContext({ clock });
    const request = requestAt(now);
    await issue(request, {}, context);
    fake.last().status = "Declined";
    expect(await failureOf(status(request, context))).toMatchObject({
      failureClass: "Refused",
      message: "Sectigo's request 50 is Declined",
    });
    expect(context.state).toBeNull();
    fake.approves = false;
    expect(await issue(request, {}, context)).toHaveProperty("leafDer");
    expect(fake.certificates).toHaveLength(2);
  });

  test("finds the request whose answer was lost, and makes no other", async () => {
    for (const commonName of ["", "site.example"]) {
      for (const trouble of ["lost", "away"] as const) {
        fake.certificates.length = 0;
        const sans = ["site.example"];
        const csr = () => newCsr(sans, { commonName }).der;
        await issue(requestAt(now, { sans, csr: csr() }));
        fake.server.befall(/enroll/, trouble);
        const context = testContext({ clock });
        const request = requestAt(now, { sans, csr: csr() });
        expect(await failureOf(issue(request, {}, context))).toMatchObject({ failureClass: "Network" });
        expect(sectigo.isCommitted?.(context.state ?? {})).toBe(true);
        pass(24 * 3_600_000);
        expect(await issue(request, {}, context)).toHaveProperty("leafDer");
        expect(fake.certificates).toHaveLength(2);
      }
    }
  });

  test("does not go on with one that was declined before it was found", async () => {
    fake.server.befall(/enroll/, "lost");
    const context = testContext({ clock });
    const request = requestAt(now);
    await failureOf(issue(request, {}, context));
    fake.last().status = "Declined";
    expect(await issue(request, {}, context)).toHaveProperty("leafDer");
    expect(fake.certificates).toHaveLength(2);
  });

  test("finds it among more certificates of the name than one page has", async () => {
    const template = requestAt(now);
    await issue(template);
    const other = fake.last();
    fake.server.befall(/enroll/, "lost");
    const context = testContext({ clock });
    const request = requestAt(now);
    await failureOf(issue(request, {}, context));
    const lost = fake.certificates.pop();
    for (let n = 0; n < 250; n += 1) fake.certificates.push({ ...other, sslId: 1_000 + n });
    if (lost) fake.certificates.push({ ...lost, sslId: 2_000 });
    expect(await issue(request, {}, context)).toHaveProperty("leafDer");
    expect(context.state).toMatchObject({ ssl_id: 2_000 });
  });

  test("that refuses leaves no order behind, so that another CA may be asked", async () => {
    const context = testContext({ clock });
    const ask = () => failureOf(issue(requestAt(now), {}, context));
    const refused = (code: number, description: string) => ({ status: 400, body: { code, description } });
    fake.server.befall(/enroll/, refused(-107, "Domain Control Validation is either incomplete or expired"));
    expect(await ask()).toMatchObject({
      failureClass: "Refused",
      message: expect.stringContaining("Domain Control Validation is either incomplete or expired (-107)"),
    });
    expect(context.state).toBeNull();
    fake.server.befall(/enroll/, refused(-3, "You are not authorized to perform enroll."));
    expect(await ask()).toMatchObject({ failureClass: "Configuration" });
    fake.server.befall(/enroll/, { status: 429, headers: { "retry-after": "60" } });
    expect(await ask()).toMatchObject({ failureClass: "RateLimited", retryAfterMs: 60_000 });
    fake.server.befall(/./, "away");
    expect(await ask()).toMatchObject({ failureClass: "Network" });
    expect(context.state).toBeNull();
    // Sectigo does not know itself.
    fake.server.befall(/enroll/, refused(-195, "CA is not available now. Please try again later."));
    expect(await ask()).toMatchObject({ failureClass: "Network" });
    expect(context.state).not.toBeNull();
  });

  test("revokes for every reason, and takes what is revoked already as done", async () => {
    for (const reason of revocationReasons) {
      await issue(requestAt(now));
      await revoke(fake.last().signed?.serial ?? "", reason);
    }
    expect(fake.certificates.map(({ reasonCode }) => reasonCode)).toEqual([0, 1, 0, 3, 4, 5, 0]);
    await revoke(fake.last().signed?.serial ?? "", "Superseded");
    expect(fake.last().reasonCode).toBe(0);
    expect(await failureOf(revoke("ABC", "Superseded"))).toMatchObject({ step: "revoke" });
  });

  test("serves a certificate of the control plane from order to revocation", async () => {
    await using plane = await openControlPlane();
    now = plane.time.now;
    fake.approves = true;
    fake.server.befall(/enroll/, "lost");
    const { certificateId, jobId } = await orderedCertificate(plane, { kind: "sectigo", config: config() });
    expect(await askAgain(plane, jobId)).toMatchObject({ status: "Pending", failureClass: "Network" });
    const waiting = await askAgain(plane, jobId, 120_000);
    expect(waiting).toMatchObject({ status: "Running", orders: [{ reference: "50" }] });
    fake.proceed();
    expect(await askAgain(plane, jobId, 600_000)).toMatchObject({ status: "Completed" });
    const serial = await revokeVersion(plane, certificateId, "KeyCompromise");
    expect(fake.certificates).toMatchObject([{ status: "Revoked", reasonCode: 1, signed: { serial } }]);
  });
});
