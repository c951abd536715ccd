import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type GoogleCas, startGoogleCas } from "../../test/fakes/google-cas.ts";
import { openControlPlane } from "../../test/fixtures.ts";
import {
  askAgain,
  failureOf,
  orderedCertificate,
  refusalContext,
  requestAt,
  revokeVersion,
} from "../../test/foreign-issuer.ts";
import { testContext } from "../../test/issuer-context.ts";
import { maskSecrets, sealSecrets } from "../connectors/secrets.ts";
import { googleCas } from "./google-cas.ts";
import { type Issued, type IssueRequest, type RevocationReason, revocationReasons } from "./issuer.ts";

let google: GoogleCas;
let now: Date;
const clock = () => now;

beforeEach(async () => {
  now = new Date("2030-06-01T12:00:00Z");
  google = await startGoogleCas(clock);
});
afterEach(() => google[Symbol.asyncDispose]());

const config = (changes: object = {}) => ({
  project: "acme-pki",
  location: "europe-west1",
  ca_pool: "servers",
  service_account_key: google.keyFile,
  url: google.server.url,
  token_url: `${google.server.url}/token`,
  ca: google.server.ca,
  ...changes,
});
const probe = (changes: object = {}) => googleCas.test(config(changes), testContext({ clock }));
const issue = async (request: IssueRequest, changes: object = {}, context = testContext({ clock })) =>
  (await googleCas.issue(request, config(changes), context)) as Issued;
const revoke = ({ leafDer }: Issued, reason: RevocationReason) =>
  googleCas.revoke?.(
    { reason, serial: "", leafDer, issuerDer: Buffer.of(), authorityId: null, now },
    config(),
    testContext({ clock }),
  ) as Promise<void>;
const changedKey = (changes: object) => JSON.stringify({ ...JSON.parse(google.keyFile), ...changes });

describe("Google Cloud CA Service", () => {
  test("is tested by what it says of the pool and of what the account may do", async () => {
    expect(await probe()).toBe(
      "pool servers (ENTERPRISE) has 1 CA, the first ends at 2035-05-31T12:00:00.000Z",
    );
    google.tier = "DEVOPS";
    expect(await probe()).toMatch(/what this tier signs cannot be revoked$/);
    google.granted = ["privateca.certificates.get"];
    expect(await failureOf(probe())).toMatchObject({
      failureClass: "Configuration",
      message: "the service account lacks privateca.certificates.create, privateca.certificates.update",
    });
    google.granted.push("privateca.certificates.create", "privateca.certificates.update");
    google.authorities = [];
    expect(await failureOf(probe())).toMatchObject({ message: "pool servers has no CA" });
  });

  test.each<[string, () => object, string, RegExp]>([
    ["project", () => ({ project: "other" }), "Configuration", /404 Not Found/],
    ["location", () => ({ location: "us-east1" }), "Configuration", /404 Not Found/],
    ["ca_pool", () => ({ ca_pool: "clients" }), "Configuration", /404 Not Found/],
    ["url", () => ({ url: "https://localhost:1" }), "Network", /localhost:1: .*ECONNREFUSED/],
    ["token_url", () => ({ token_url: "https://localhost:2/t" }), "Network", /localhost:2: .*ECONNREFUSED/],
    ["ca", () => ({ ca: undefined }), "Network", /certificate/],
    [
      "service_account_key (another account)",
      () => ({ service_account_key: changedKey({ client_email: "other@acme-pki.iam.gserviceaccount.com" }) }),
      "Configuration",
      /invalid_grant: Invalid grant: account not found/,
    ],
    [
      "service_account_key (no key)",
      () => ({ service_account_key: changedKey({ private_key: "none" }) }),
      "Configuration",
      /cannot be read/,
    ],
  ])("is not reached with another %s", async (_field, changes, failureClass, words) => {
    const failure = await failureOf(probe(changes()));
    expect(failure).toMatchObject({ failureClass, message: expect.stringMatching(words) });
    expect(failure.message).not.toContain("PRIVATE KEY");
  });

  test("is asked by a token of the account's key, which lasts for one order", async () => {
    await issue(requestAt(now));
    await issue(requestAt(now));
    expect(google.server.calls.filter((call) => call === "POST /token")).toHaveLength(2);
    google.server.befall(/certificates/, { status: 401, body: { error: { message: "expired" } } });
    const failure = await failureOf(issue(requestAt(now)));
    expect(failure).toMatchObject({ failureClass: "Configuration" });
  });

  test("has its key checked when it is declared, and read while it is masked", () => {
    expect(googleCas.config.safeParse(config({ service_account_key: "{}" })).success).toBe(false);
    const sealer = { seal: () => Buffer.of(1), open: () => Buffer.of(1) };
    const place = { table: "issuers", id: "iss-g" };
    const stored = sealSecrets(sealer as never, place, googleCas.config, config());
    const wanted = { sans: ["a.example"], keyAlgorithm: "ECDSA-P256", validitySeconds: 86_400 };
    expect(googleCas.refuses(wanted, maskSecrets(stored), refusalContext)).toBeNull();
  });

  test("makes a certificate of the names, key and lifetime that were asked for", async () => {
    const { leafDer, chainPem, rootPem } = await issue(requestAt(now));
    const leaf = new X509Certificate(leafDer);
    expect(leaf.subjectAltName).toBe("DNS:site.example, DNS:www.site.example");
    expect(Date.parse(leaf.validTo)).toBe(now.getTime() + 46 * 86_400_000);
    expect(chainPem.map((text) => new X509Certificate(text).subject)).toEqual(["CN=Fake Issuing CA"]);
    expect(new X509Certificate(rootPem).subject).toBe("CN=Fake Root");
  });

  test("follows the CA and the template that are configured", async () => {
    await issue(requestAt(now));
    expect(google.issued[0]?.query).not.toHaveProperty("issuingCertificateAuthorityId");
    expect(google.issued[0]?.body).not.toHaveProperty("certificateTemplate");
    google.authorities.push("ca-2");
    const template = "projects/acme-pki/locations/europe-west1/certificateTemplates/tls";
    await issue(requestAt(now), { certificate_authority: "ca-2", certificate_template: template });
    expect(google.issued[1]?.query).toMatchObject({ issuingCertificateAuthorityId: "ca-2" });
    expect(google.issued[1]?.body).toMatchObject({ certificateTemplate: template });
    expect(await failureOf(issue(requestAt(now), { certificate_authority: "ca-3" }))).toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("CA ca-3 was not found in the pool"),
    });
  });

  test("makes one certificate for a key, whenever and however often it is asked", async () => {
    google.server.befall(/POST .*certificates\?/, "lost");
    const context = testContext({ clock });
    const request = requestAt(now);
    expect(await failureOf(issue(request, {}, context))).toMatchObject({ failureClass: "Network" });
    expect(googleCas.isCommitted?.(context.state ?? {})).toBe(true);
    for (const later of [60_000, 3 * 3_600_000]) {
      now = new Date(now.getTime() + later);
      await issue(request, {}, context);
    }
    expect(google.issued).toHaveLength(1);
    expect(google.server.calls.at(-1)).toMatch(/^GET .*certificates\/certctl-/);
  });

  test("of the DevOps tier makes one certificate for a key within the hour", async () => {
    google.tier = "DEVOPS";
    google.server.befall(/POST .*certificates\?/, "lost");
    const context = testContext({ clock });
    const request = requestAt(now);
    await failureOf(issue(request, {}, context));
    now = new Date(now.getTime() + 1_800_000);
    const answer = await issue(request, {}, context);
    expect(google.issued).toHaveLength(1);
    expect(await failureOf(revoke(answer, "Superseded"))).toMatchObject({
      failureClass: "Refused",
      message: expect.stringContaining("DevOps tier cannot revoke"),
    });
  });

  test("that refuses leaves no order behind, so that another CA may be asked", async () => {
    const context = testContext({ clock });
    const ask = () => failureOf(issue(requestAt(now), {}, context));
    const exhausted = { error: { message: "Quota exceeded", status: "RESOURCE_EXHAUSTED" } };
    google.server.befall(/certificates\?/, {
      status: 429,
      headers: { "retry-after": "30" },
      body: exhausted,
    });
    expect(await ask()).toMatchObject({
      failureClass: "RateLimited",
      retryAfterMs: 30_000,
      message: expect.stringContaining("Quota exceeded"),
    });
    expect(context.state).toBeNull();
    google.authorities = [];
    expect(await ask()).toMatchObject({
      failureClass: "Refused",
      message: expect.stringContaining("no enabled CAs"),
    });
    expect(context.state).toBeNull();
    google.server.befall(/token/, "away");
    expect(await ask()).toMatchObject({ failureClass: "Network" });
    expect(context.state).toBeNull();
  });

  test("that refuses a later try may have signed at the first", async () => {
    const context = testContext({ clock });
    const request = requestAt(now);
    google.server.befall(/certificates\?/, "lost");
    google.server.befall(/certificates\?/, { status: 429 });
    await failureOf(issue(request, {}, context));
    await failureOf(issue(request, {}, context));
    expect(context.state).not.toBeNull();
  });

  test("revokes for every reason, and takes what is revoked already as done", async () => {
    const answers: Issued[] = [];
    for (const reason of revocationReasons) {
      const answer = await issue(requestAt(now));
      answers.push(answer);
      await revoke(answer, reason);
    }
    expect(google.issued.map(({ revokedFor }) => revokedFor)).toEqual([
      "REVOCATION_REASON_UNSPECIFIED",
      "KEY_COMPROMISE",
      "CERTIFICATE_AUTHORITY_COMPROMISE",
      "AFFILIATION_CHANGED",
      "SUPERSEDED",
      "CESSATION_OF_OPERATION",
      "PRIVILEGE_WITHDRAWN",
    ]);
    await revoke(answers[1] as Issued, "Superseded");
    expect(google.issued[1]?.revokedFor).toBe("KEY_COMPROMISE");
    const fresh = await issue(requestAt(now));
    google.server.befall(/revoke/, { status: 400, body: { error: { message: "not now" } } });
    expect(await failureOf(revoke(fresh, "Superseded"))).toMatchObject({ failureClass: "Refused" });
    google.server.befall(/revoke/, "away");
    expect(await failureOf(revoke(fresh, "Superseded"))).toMatchObject({ failureClass: "Network" });
  });

  test("serves a certificate of the control plane from order to revocation", async () => {
    await using plane = await openControlPlane();
    now = plane.time.now;
    google.server.befall(/certificates\?/, "lost");
    const { certificateId, jobId } = await orderedCertificate(plane, {
      kind: "google-cas",
      config: config(),
    });
    expect(await askAgain(plane, jobId)).toMatchObject({ status: "Pending", failureClass: "Network" });
    now = new Date(now.getTime() + 120_000);
    expect(await askAgain(plane, jobId, 120_000)).toMatchObject({ status: "Completed" });
    await revokeVersion(plane, certificateId, "KeyCompromise");
    expect(google.issued.map(({ revokedFor }) => revokedFor)).toEqual(["KEY_COMPROMISE"]);
  });
});
