import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Digicert, startDigicert } from "../../test/fakes/digicert.ts";
import { openControlPlane, operator } from "../../test/fixtures.ts";
import {
  askAgain,
  failureOf,
  orderedCertificate,
  refusalContext,
  requestAt,
  revokeVersion,
} from "../../test/foreign-issuer.ts";
import { type TestContext, testContext } from "../../test/issuer-context.ts";
import { digicert } from "./digicert.ts";
import {
  type Issued,
  type IssueRequest,
  type Ordered,
  type RevocationReason,
  revocationReasons,
} from "./issuer.ts";
import { setStandby } from "./standby.ts";

let fake: Digicert;
let now: Date;
const clock = () => now;
const pass = (ms: number) => {
  now = new Date(now.getTime() + ms);
};

beforeEach(async () => {
  now = new Date("2030-06-01T12:00:00Z");
  fake = await startDigicert(clock);
});
afterEach(() => fake[Symbol.asyncDispose]());

const config = (changes: object = {}) => ({
  api_key: fake.apiKey,
  product: "ssl_basic",
  organization_id: 112_233,
  url: `${fake.server.url}/services/v2`,
  ca: fake.server.ca,
  ...changes,
});
const probe = (changes: object = {}) => digicert.test(config(changes), testContext({ clock }));
const issue = (request: IssueRequest, changes: object = {}, context = testContext({ clock })) =>
  digicert.issue(request, config(changes), context) as Promise<Issued | Ordered>;
const status = (request: IssueRequest, context: TestContext) =>
  digicert.orderStatus?.(context.state ?? {}, request, config(), context) as Promise<Issued | Ordered>;
const revoke = (serial: string, reason: RevocationReason, changes: object = {}) =>
  digicert.revoke?.(
    { reason, serial, leafDer: Buffer.of(), issuerDer: Buffer.of(), authorityId: null, now },
    config(changes),
    testContext({ clock }),
  ) as Promise<void>;

describe("DigiCert CertCentral", () => {
  test("is tested by who the key is and what the account may order", async () => {
    expect(await probe()).toBe("certctl (Administrator) of account 4711 may order Basic OV");
    expect(await failureOf(probe({ product: "ssl_ev" }))).toMatchObject({
      failureClass: "Configuration",
      message: "the account has no product ssl_ev",
    });
  });

  test.each<[string, () => object, string, RegExp]>([
    ["api_key", () => ({ api_key: "another key" }), "Configuration", /401 .*invalid_api_key: The API key/],
    ["url", () => ({ url: "https://localhost:1/services/v2" }), "Network", /ECONNREFUSED/],
    ["ca", () => ({ ca: undefined }), "Network", /certificate/],
  ])("is not reached with another %s", async (_field, changes, failureClass, words) => {
    expect(await failureOf(probe(changes()))).toMatchObject({
      failureClass,
      message: expect.stringMatching(words),
    });
  });

  test("refuses what it has no place for before it is declared", () => {
    const refusal = (sans: string[], validitySeconds: number, product: string) =>
      digicert.refuses(
        { sans, validitySeconds, keyAlgorithm: "RSA-2048" },
        config({ product }),
        refusalContext,
      );
    expect(refusal(["a.example", "*.b.example"], 86_400, "ssl_basic")).toBeNull();
    expect(refusal(["10.0.0.1"], 86_400, "ssl_basic")).toMatchObject({ field: "sans" });
    expect(refusal(["10.0.0.1"], 86_400, "private_ssl_plus")).toBeNull();
    expect(refusal(["me@b.example"], 86_400, "private_ssl_plus")).toMatchObject({ field: "sans" });
    expect(refusal(["a.example"], 86_399, "ssl_basic")).toMatchObject({ field: "validity_seconds" });
  });

  test("makes a certificate of the names, key and days that were asked for", async () => {
    const request = requestAt(now, { commonName: "www.site.example", validitySeconds: 30.9 * 86_400 });
    const { leafDer, chainPem, rootPem } = (await issue(request)) as Issued;
    const leaf = new X509Certificate(leafDer);
    expect(leaf.subjectAltName).toBe("DNS:www.site.example, DNS:site.example");
    expect(Date.parse(leaf.validTo)).toBe(now.getTime() + 30 * 86_400_000);
    expect(chainPem.map((text) => new X509Certificate(text).subject)).toEqual(["CN=Fake Issuing CA"]);
    expect(new X509Certificate(rootPem).subject).toBe("CN=Fake Root");
    expect(fake.last().request).toMatchObject({ disable_renewal_notifications: true });
  });

  test("is asked for what is configured", async () => {
    await issue(requestAt(now));
    const { organization, skip_approval, ...plain } = fake.last().request;
    expect({ organization, skip_approval }).toEqual({ organization: { id: 112_233 }, skip_approval: true });
    for (const left of ["container", "dcv_method", "payment_method"]) expect(plain).not.toHaveProperty(left);
    expect(plain.certificate).not.toHaveProperty("ca_cert_id");
    await issue(requestAt(now), {
      product: "private_ssl_plus",
      container_id: 14,
      ca_cert_id: "10A101A05684",
      dcv_method: "dns-cname-token",
      payment_method: "balance",
      skip_approval: false,
    });
    expect(fake.last()).toMatchObject({
      product: "private_ssl_plus",
      request: {
        container: { id: 14 },
        certificate: { ca_cert_id: "10A101A05684" },
        dcv_method: "dns-cname-token",
        payment_method: "balance",
        skip_approval: false,
      },
    });
    expect(await failureOf(issue(requestAt(now), { organization_id: undefined }))).toMatchObject({
      failureClass: "Refused",
      message: expect.stringContaining("missing_organization: Organization is required."),
    });
  });

  test("is asked for an order that waits, less often after a while", async () => {
    fake.validates = true;
    const context = testContext({ clock });
    const request = requestAt(now);
    const words = "waits for DigiCert to validate its domains or its organization";
    const waiting = { reference: String(100_000), message: words };
    expect(await issue(request, {}, context)).toEqual({ ...waiting, pollAfterMs: 30_000 });
    pass(11 * 60_000);
    expect(await status(request, context)).toEqual({ ...waiting, pollAfterMs: 600_000 });
    fake.proceed();
    expect(await status(request, context)).toHaveProperty("leafDer");
    expect(fake.orders).toHaveLength(1);
  });

  test("says that an administrator has to approve, and that an order was rejected", async () => {
    const context = testContext({ clock });
    const request = requestAt(now);
    expect(await issue(request, { skip_approval: false }, context)).toMatchObject({
      message: "waits for the approval of an administrator of the CertCentral account",
    });
    fake.last().status = "rejected";
    expect(await failureOf(status(request, context))).toMatchObject({
      failureClass: "Refused",
      message: "DigiCert's order 100000 is rejected",
    });
    expect(context.state).toBeNull();
    expect(await issue(request, {}, context)).toHaveProperty("leafDer");
    expect(fake.orders).toHaveLength(2);
  });

  test("finds the order whose answer was lost, and makes no other", async () => {
    for (const trouble of ["lost", "away"] as const) {
      fake.orders.length = 0;
      fake.server.befall(/^POST/, trouble);
      const context = testContext({ clock });
      const request = requestAt(now);
      expect(await failureOf(issue(request, {}, context))).toMatchObject({ failureClass: "Network" });
      expect(digicert.isCommitted?.(context.state ?? {})).toBe(true);
      pass(24 * 3_600_000);
      expect(await issue(request, {}, context)).toHaveProperty("leafDer");
      expect(fake.orders).toHaveLength(1);
      // Nor where certctl's own note of the order is gone.
      context.state = null;
      expect(await issue(request, {}, context)).toHaveProperty("leafDer");
      expect(fake.orders).toHaveLength(1);
    }
  });

  test("takes a look-up that finds nothing for none, however it is said", async () => {
    const body = { errors: [{ code: "not_found|order", message: "The specified order was not found." }] };
    fake.server.befall(/alternate/, { status: 404, body });
    expect(await issue(requestAt(now))).toHaveProperty("leafDer");
    fake.server.befall(/alternate/, { status: 403, body });
    expect(await failureOf(issue(requestAt(now)))).toMatchObject({ failureClass: "Configuration" });
  });

  test("that refuses leaves no order behind, so that another CA may be asked", async () => {
    const context = testContext({ clock });
    const ask = () => failureOf(issue(requestAt(now), {}, context));
    const limited = { errors: [{ code: "request_limit_exceeded", message: "please limit request volume" }] };
    fake.server.befall(/^POST/, { status: 429, headers: { "retry-after": "180" }, body: limited });
    expect(await ask()).toMatchObject({
      failureClass: "RateLimited",
      retryAfterMs: 180_000,
      message: expect.stringContaining("please limit request volume"),
    });
    expect(context.state).toBeNull();
    fake.server.befall(/./, "away");
    expect(await ask()).toMatchObject({ failureClass: "Network" });
    expect(context.state).toBeNull();
  });

  test("revokes for every reason, and takes what is revoked already as done", async () => {
    for (const reason of revocationReasons) {
      await issue(requestAt(now));
      await revoke(fake.last().signed?.serial ?? "", reason);
    }
    expect(fake.orders.map(({ revokedFor }) => revokedFor)).toEqual([
      "unspecified",
      "keyCompromise",
      "unspecified",
      "affiliationChanged",
      "superseded",
      "cessationOfOperation",
      "unspecified",
    ]);
    await revoke(fake.last().signed?.serial ?? "", "Superseded");
    expect(await failureOf(revoke("0123456789ABCDEF", "Superseded"))).toMatchObject({ step: "revoke" });
    fake.server.befall(/revoke/, { status: 400, body: {} });
    await issue(requestAt(now));
    expect(await failureOf(revoke(fake.last().signed?.serial ?? "", "Superseded"))).toMatchObject({
      failureClass: "Refused",
    });
  });

  test("has not revoked what waits for approval", async () => {
    await issue(requestAt(now));
    const order = fake.last();
    const ask = () => revoke(order.signed?.serial ?? "", "Superseded", { skip_approval: false });
    expect(await failureOf(ask())).toMatchObject({
      failureClass: "Refused",
      message: "an administrator of the CertCentral account has to approve it",
    });
    order.revokedFor = "superseded";
    await ask();
  });

  test("serves a certificate of the control plane from order to revocation", async () => {
    await using plane = await openControlPlane();
    now = plane.time.now;
    fake.validates = true;
    fake.server.befall(/^POST/, "lost");
    const { certificateId, jobId } = await orderedCertificate(plane, { kind: "digicert", config: config() });
    expect(await askAgain(plane, jobId)).toMatchObject({ status: "Pending", failureClass: "Network" });
    const waiting = await askAgain(plane, jobId, 120_000);
    expect(waiting).toMatchObject({ status: "Running", orders: [{ reference: "100000" }] });
    fake.proceed();
    expect(await askAgain(plane, jobId, 600_000)).toMatchObject({ status: "Completed" });
    const serial = await revokeVersion(plane, certificateId, "KeyCompromise");
    expect(fake.orders).toMatchObject([{ revokedFor: "keyCompromise", signed: { serial } }]);
  });

  test("has its standby asked where nothing was ordered, and nobody where an order may have been", async () => {
    await using plane = await openControlPlane();
    now = plane.time.now;
    const standby = {
      standbyIssuerId: "iss-local",
      standbyAfter: 1,
      canaryCertificateId: "",
      canaryEveryDays: 0,
    };
    for (const [broken, moved] of [
      [/alternate/, true],
      [/^POST/, false],
    ] as const) {
      const { jobId, issuerId } = await orderedCertificate(plane, { kind: "digicert", config: config() });
      await setStandby(plane, operator, { id: issuerId, ...standby });
      fake.server.befall(broken, "lost");
      expect(await askAgain(plane, jobId)).toMatchObject({ issuerId: moved ? "iss-local" : null });
      expect(await askAgain(plane, jobId, 120_000)).toMatchObject({ status: "Completed" });
    }
    expect(fake.orders).toHaveLength(1);
  });
});
