import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AwsPrivateCa, startAwsPrivateCa } from "../../test/fakes/aws-private-ca.ts";
import { openControlPlane } from "../../test/fixtures.ts";
import {
  askAgain,
  failureOf,
  orderedCertificate,
  requestAt,
  revokeVersion,
} from "../../test/foreign-issuer.ts";
import { testContext } from "../../test/issuer-context.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import { awsPrivateCa } from "./aws-private-ca.ts";
import { type Issued, type RevocationReason, revocationReasons } from "./issuer.ts";

let aws: AwsPrivateCa;
let now: Date;
const clock = () => now;

beforeEach(async () => {
  now = new Date("2030-06-01T12:00:00Z");
  aws = await startAwsPrivateCa(clock);
});
afterEach(() => aws[Symbol.asyncDispose]());

const config = (changes: object = {}) => ({
  region: aws.region,
  certificate_authority_arn: aws.caArn,
  access_key_id: aws.accessKeyId,
  secret_access_key: aws.secretAccessKey,
  endpoint: aws.server.url,
  ca: aws.server.ca,
  ...changes,
});
const probe = (changes: object = {}) => awsPrivateCa.test(config(changes), testContext({ clock }));
const issued = (answer: unknown) => {
  const { leafDer, chainPem, rootPem } = answer as Issued;
  return { leaf: new X509Certificate(leafDer), chainPem, rootPem };
};

describe("AWS Private CA", () => {
  test("is tested by what it says of the CA", async () => {
    expect(await probe()).toBe(
      "the EC_prime256v1 SUBORDINATE CA is active and signs until 2035-05-31T12:00:00.000Z",
    );
    aws.status = "DISABLED";
    expect(await failureOf(probe())).toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("it is DISABLED"),
    });
  });

  test.each<[string, object, string, RegExp]>([
    ["region", { region: "us-east-1" }, "Configuration", /InvalidSignatureException/],
    ["access_key_id", { access_key_id: "AKIAOTHEROTHEROTHER0" }, "Configuration", /UnrecognizedClient/],
    ["secret_access_key", { secret_access_key: "another" }, "Configuration", /InvalidSignatureException/],
    ["session_token", { session_token: "a token" }, "Configuration", /UnrecognizedClient/],
    ["ca", { ca: undefined }, "Network", /certificate/],
    ["endpoint", { endpoint: "https://localhost:1" }, "Network", /ECONNREFUSED/],
    [
      "certificate_authority_arn",
      {
        certificate_authority_arn:
          "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/00000000-0000-0000-0000-000000000000",
      },
      "Configuration",
      /ResourceNotFoundException: Could not find/,
    ],
  ])("is not reached with another %s", async (_field, changes, failureClass, words) => {
    const failure = await failureOf(probe(changes));
    expect(failure).toMatchObject({ failureClass, message: expect.stringMatching(words) });
    expect(failure.message).not.toContain(aws.secretAccessKey);
  });

  test("gets the session token of temporary credentials, signed, and never shows it", async () => {
    aws.sessionToken = "FwoGZXIvYXdzEA";
    const token = { session_token: "FwoGZXIvYXdzEA" };
    await probe(token);
    const failure = await failureOf(probe({ ...token, secret_access_key: "another" }));
    expect(failure.message).toContain("x-amz-security-token:********");
    expect(failure.message).not.toContain("FwoGZXIvYXdzEA");
  });

  test("is asked in its region where no endpoint is named", async () => {
    const asked: string[] = [];
    const connectTls = ({ host }: { host: string }) => {
      asked.push(host);
      return Promise.reject(new Error("not in a test"));
    };
    const context = testContext({ clock });
    const egress = { ...context.egress, connectTls };
    for (const region of ["eu-central-1", "cn-north-1"])
      await failureOf(awsPrivateCa.test(config({ endpoint: undefined, region }), { ...context, egress }));
    expect(asked).toEqual(["acm-pca.eu-central-1.amazonaws.com", "acm-pca.cn-north-1.amazonaws.com.cn"]);
  });

  test("makes a certificate of the names, key and lifetime that were asked for", async () => {
    const request = requestAt(now);
    const { leaf, chainPem, rootPem } = issued(
      await awsPrivateCa.issue(request, config(), testContext({ clock })),
    );
    expect(leaf.subjectAltName).toBe("DNS:site.example, DNS:www.site.example");
    expect(Date.parse(leaf.validTo)).toBe(now.getTime() + 46 * 86_400_000);
    expect(chainPem).toHaveLength(1);
    expect(new X509Certificate(chainPem[0] ?? "").subject).toBe("CN=Fake Issuing CA");
    expect(new X509Certificate(rootPem).subject).toBe("CN=Fake Root");
    expect(aws.issued[0]?.request).toMatchObject({ SigningAlgorithm: "SHA256WITHECDSA" });
  });

  test("follows the template and the signing algorithm that are configured", async () => {
    const make = (changes: object) =>
      awsPrivateCa.issue(requestAt(now), config(changes), testContext({ clock }));
    const usages = async (changes: object) => issued(await make(changes)).leaf.keyUsage;
    expect(await usages({})).toEqual([extendedKeyUsage.serverAuth]);
    const both = { template_arn: "arn:aws:acm-pca:::template/EndEntityCertificate/V1" };
    expect(await usages(both)).toEqual([extendedKeyUsage.serverAuth, extendedKeyUsage.clientAuth]);
    await make({ signing_algorithm: "SHA384WITHECDSA" });
    expect(aws.issued.at(-1)?.request.SigningAlgorithm).toBe("SHA384WITHECDSA");
    expect(await failureOf(make({ signing_algorithm: "SHA256WITHRSA" }) as Promise<unknown>)).toMatchObject({
      failureClass: "Refused",
      message: expect.stringContaining("InvalidArgsException: The signing algorithm"),
    });
  });

  test("is asked again for a certificate that it still makes", async () => {
    aws.pending = 2;
    const context = testContext({ clock });
    const request = requestAt(now);
    const ordered = await awsPrivateCa.issue(request, config(), context);
    expect(ordered).toEqual({
      reference: context.state?.["certificate_arn"],
      pollAfterMs: 5_000,
      message: "AWS makes the certificate",
    });
    const ask = () => awsPrivateCa.orderStatus?.(context.state ?? {}, request, config(), context);
    expect(await ask()).toMatchObject({ pollAfterMs: 5_000 });
    expect(issued(await ask()).leaf.subjectAltName).toContain("site.example");
    expect(aws.issued).toHaveLength(1);
  });

  test("makes one certificate where its answer is lost, if it is asked again within a minute", async () => {
    aws.server.befall(/IssueCertificate/, "lost");
    const context = testContext({ clock });
    const request = requestAt(now);
    const ask = () => awsPrivateCa.issue(request, config(), context) as Promise<unknown>;
    expect(await failureOf(ask())).toMatchObject({ failureClass: "Network" });
    expect(awsPrivateCa.isCommitted?.(context.state ?? {})).toBe(true);
    // Whatever is said of the next try: the first may have been taken.
    aws.server.befall(/IssueCertificate/, { status: 429 });
    expect(await failureOf(ask())).toMatchObject({ failureClass: "RateLimited" });
    expect(context.state).not.toBeNull();
    now = new Date(now.getTime() + 50_000);
    issued(await ask());
    expect(aws.issued).toHaveLength(1);
    // What was asked for is fetched, not ordered again, however late that is.
    now = new Date(now.getTime() + 3_600_000);
    issued(await ask());
    expect(aws.issued).toHaveLength(1);
  });

  test("gets a fresh end of life with an order that is placed again after the minute", async () => {
    aws.server.befall(/IssueCertificate/, "away");
    const context = testContext({ clock });
    const request = requestAt(now);
    const ask = () => awsPrivateCa.issue(request, config(), context) as Promise<unknown>;
    await failureOf(ask());
    now = new Date(now.getTime() + 3_600_000);
    expect(Date.parse(issued(await ask()).leaf.validTo)).toBe(now.getTime() + 46 * 86_400_000);
  });

  test("that refuses leaves no order behind, so that another CA may be asked", async () => {
    const context = testContext({ clock });
    const ask = (changes = {}) =>
      awsPrivateCa.issue(requestAt(now, changes), config(), context) as Promise<unknown>;
    expect(await failureOf(ask({ validitySeconds: 20 * 365 * 86_400 }))).toMatchObject({
      failureClass: "Refused",
      message: expect.stringContaining(
        "400 Bad Request: ValidationException: The certificate would outlive its certificate authority",
      ),
    });
    expect(context.state).toBeNull();
    const throttled = { __type: "ThrottlingException", message: "Rate exceeded" };
    aws.server.befall(/IssueCertificate/, { status: 400, headers: { "retry-after": "7" }, body: throttled });
    expect(await failureOf(ask())).toMatchObject({ failureClass: "RateLimited", retryAfterMs: 7_000 });
    expect(context.state).toBeNull();
    aws.server.befall(/./, "away", 2);
    for (const changes of [{}, { signing_algorithm: "SHA256WITHECDSA" }]) {
      const call = awsPrivateCa.issue(requestAt(now), config(changes), context) as Promise<unknown>;
      expect(await failureOf(call)).toMatchObject({ failureClass: "Network" });
      expect(context.state).toBeNull();
    }
    aws.fails = true;
    expect(await failureOf(ask())).toMatchObject({ failureClass: "Refused", step: "collect" });
    expect(context.state).toBeNull();
  });

  test("revokes for every reason, and takes what is revoked already as done", async () => {
    const revoke = (reason: RevocationReason, serial: string) =>
      awsPrivateCa.revoke?.(
        { reason, serial, leafDer: Buffer.of(), issuerDer: Buffer.of(), authorityId: null, now },
        config(),
        testContext({ clock }),
      ) as Promise<void>;
    for (const reason of revocationReasons) {
      await awsPrivateCa.issue(requestAt(now), config(), testContext({ clock }));
      await revoke(reason, aws.issued.at(-1)?.serial ?? "");
    }
    expect([...aws.revoked.values()]).toEqual([
      "UNSPECIFIED",
      "KEY_COMPROMISE",
      "CERTIFICATE_AUTHORITY_COMPROMISE",
      "AFFILIATION_CHANGED",
      "SUPERSEDED",
      "CESSATION_OF_OPERATION",
      "PRIVILEGE_WITHDRAWN",
    ]);
    await revoke("Superseded", aws.issued[0]?.serial ?? "");
    expect(aws.revoked.get(aws.issued[0]?.serial ?? "")).toBe("UNSPECIFIED");
    expect(await failureOf(revoke("Superseded", "0ABC"))).toMatchObject({ step: "revoke" });
  });

  test("serves a certificate of the control plane from order to revocation", async () => {
    await using plane = await openControlPlane();
    now = plane.time.now;
    aws.pending = 1;
    const { certificateId, jobId } = await orderedCertificate(plane, {
      kind: "aws-private-ca",
      config: JSON.parse(JSON.stringify(config())),
    });
    const waiting = await askAgain(plane, jobId);
    expect(waiting).toMatchObject({ status: "Running", orders: [{ message: "AWS makes the certificate" }] });
    expect(await askAgain(plane, jobId)).toMatchObject({ status: "Completed" });
    const serial = await revokeVersion(plane, certificateId, "KeyCompromise");
    expect(aws.revoked.get(serial)).toBe("KEY_COMPROMISE");
  });
});
