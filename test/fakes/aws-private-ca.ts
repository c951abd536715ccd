import { createHash } from "node:crypto";
import aws4 from "aws4";
import { z } from "zod";
import { extendedKeyUsage } from "../../src/x509/extensions.ts";
import { fromPem } from "../../src/x509/pem.ts";
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type Signed } from "./signing-ca.ts";

const region = "eu-central-1";
const account = "arn:aws:acm-pca:eu-central-1:123456789012";
const templates: Record<string, string[]> = {
  "arn:aws:acm-pca:::template/EndEntityCertificate/V1": [
    extendedKeyUsage.serverAuth,
    extendedKeyUsage.clientAuth,
  ],
  "arn:aws:acm-pca:::template/EndEntityServerAuthCertificate/V1": [extendedKeyUsage.serverAuth],
};

const arn = z
  .string()
  .regex(/^arn:[\w+=/,.@-]+:[\w+=/,.@-]+:[\w+=/,.@-]*:[0-9]*:[\w+=,.@-]+(\/[\w+=,.@-]+)*$/);
const requests = {
  IssueCertificate: z.strictObject({
    CertificateAuthorityArn: arn,
    Csr: z.base64(),
    SigningAlgorithm: z.enum(["SHA256WITHECDSA", "SHA384WITHECDSA", "SHA512WITHECDSA", "SHA256WITHRSA"]),
    TemplateArn: arn.optional(),
    Validity: z.strictObject({ Type: z.enum(["ABSOLUTE", "DAYS"]), Value: z.int().positive() }),
    IdempotencyToken: z.string().min(1).max(36).optional(),
  }),
  GetCertificate: z.strictObject({ CertificateAuthorityArn: arn, CertificateArn: arn }),
  DescribeCertificateAuthority: z.strictObject({ CertificateAuthorityArn: arn }),
  RevokeCertificate: z.strictObject({
    CertificateAuthorityArn: arn,
    CertificateSerial: z
      .string()
      .regex(/^[0-9a-f]{2}(:[0-9a-f]{2})*$/)
      .max(128),
    RevocationReason: z.enum([
      "UNSPECIFIED",
      "KEY_COMPROMISE",
      "CERTIFICATE_AUTHORITY_COMPROMISE",
      "AFFILIATION_CHANGED",
      "SUPERSEDED",
      "CESSATION_OF_OPERATION",
      "PRIVILEGE_WITHDRAWN",
    ]),
  }),
};

/**
 * AWS Private CA as far as its API reference tells (https://docs.aws.amazon.com/privateca/latest/APIReference/Welcome.html):
 * AWS JSON 1.1, signed by Signature Version 4, which aws4 checks. Idempotency tokens hold for a minute.
 */
export interface AwsPrivateCa extends AsyncDisposable {
  server: FakeServer;
  caArn: string;
  notAfter: Date;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Has to be sent once it is set. */
  sessionToken: string | undefined;
  status: "ACTIVE" | "DISABLED" | "EXPIRED";
  /** How often a certificate is still being made when it is asked for. */
  pending: number;
  /** Whether making it fails. */
  fails: boolean;
  /** The certificate that was made for a request, in order. */
  issued: (Signed & { request: z.infer<typeof requests.IssueCertificate> })[];
  /** Reasons by serial number, as they were sent. */
  revoked: Map<string, string>;
}

export async function startAwsPrivateCa(clock: () => Date): Promise<AwsPrivateCa> {
  const ca = makeSigningCa(clock());
  const tokens = new Map<string, { certificateArn: string; at: number }>();
  const server = await startFakeServer((request) => {
    const refusal = authenticate(request, fake, clock());
    if (refusal) return refusal;
    const [, operation = ""] = /^ACMPrivateCA\.(\w+)$/.exec(String(request.headers["x-amz-target"])) ?? [];
    const schema = requests[operation as keyof typeof requests];
    if (!schema || request.method !== "POST" || request.url.pathname !== "/")
      return failure("UnknownOperationException", operation);
    if (request.headers["content-type"] !== "application/x-amz-json-1.1")
      return failure("SerializationException", "content type");
    const read = schema.safeParse(JSON.parse(request.body));
    if (!read.success) return failure("ValidationException", read.error.message);
    if (read.data.CertificateAuthorityArn !== fake.caArn)
      return failure("ResourceNotFoundException", "Could not find Certificate Authority");
    return operations[operation as keyof typeof operations](read.data as never);
  });

  const operations = {
    IssueCertificate(request: z.infer<typeof requests.IssueCertificate>): FakeAnswer {
      if (fake.status !== "ACTIVE")
        return failure("InvalidStateException", `The certificate authority is in the ${fake.status} state`);
      const { IdempotencyToken: token, Validity: validity, TemplateArn: template } = request;
      const known = token === undefined ? undefined : tokens.get(token);
      if (known && clock().getTime() - known.at < 60_000) return ok({ CertificateArn: known.certificateArn });
      if (!request.SigningAlgorithm.endsWith("ECDSA"))
        return failure("InvalidArgsException", "The signing algorithm does not match the CA's key");
      const usages = templates[template ?? "arn:aws:acm-pca:::template/EndEntityCertificate/V1"];
      if (!usages) return failure("InvalidArnException", `Invalid template ARN: ${template}`);
      const [csr] = fromPem("CERTIFICATE REQUEST", Buffer.from(request.Csr, "base64").toString());
      if (!csr) return failure("MalformedCSRException", "The CSR is not in PEM");
      const ms = validity.Value * 1000;
      const notAfter = new Date(validity.Type === "ABSOLUTE" ? ms : clock().getTime() + 86_400 * ms);
      if (notAfter > ca.notAfter)
        return failure("ValidationException", "The certificate would outlive its certificate authority");
      const certificateArn = `${fake.caArn}/certificate/${createHash("md5").update(csr).update(String(fake.issued.length)).digest("hex")}`;
      fake.issued.push({ ...ca.sign({ csr, usages, notAfter }), request });
      arns.push(certificateArn);
      if (token !== undefined) tokens.set(token, { certificateArn, at: clock().getTime() });
      return ok({ CertificateArn: certificateArn });
    },
    GetCertificate({ CertificateArn: wanted }: z.infer<typeof requests.GetCertificate>): FakeAnswer {
      const signed = fake.issued[arns.indexOf(wanted)];
      if (!signed) return failure("ResourceNotFoundException", "Could not find certificate");
      if (fake.fails) return failure("RequestFailedException", "The certificate could not be issued");
      if (fake.pending > 0) {
        fake.pending -= 1;
        return failure("RequestInProgressException", "The certificate is still being issued");
      }
      return ok({ Certificate: signed.leafPem, CertificateChain: `${ca.issuerPem}${ca.rootPem}` });
    },
    DescribeCertificateAuthority(): FakeAnswer {
      return ok({
        CertificateAuthority: {
          Arn: fake.caArn,
          Type: "SUBORDINATE",
          Status: fake.status,
          NotAfter: ca.notAfter.getTime() / 1000,
          CertificateAuthorityConfiguration: {
            KeyAlgorithm: "EC_prime256v1",
            SigningAlgorithm: "SHA256WITHECDSA",
            Subject: { CommonName: "Fake Issuing CA" },
          },
          UsageMode: "GENERAL_PURPOSE",
        },
      });
    },
    RevokeCertificate(request: z.infer<typeof requests.RevokeCertificate>): FakeAnswer {
      const serial = request.CertificateSerial.replaceAll(":", "").toUpperCase();
      if (!fake.issued.some((signed) => signed.serial === serial))
        return failure("ResourceNotFoundException", "Could not find certificate");
      if (fake.revoked.has(serial))
        return failure("RequestAlreadyProcessedException", "The certificate is revoked already");
      fake.revoked.set(serial, request.RevocationReason);
      return { status: 200 };
    },
  };
  const arns: string[] = [];
  const fake: AwsPrivateCa = {
    server,
    caArn: `${account}:certificate-authority/11111111-2222-3333-4444-555555555555`,
    notAfter: ca.notAfter,
    region,
    accessKeyId: "AKIAFAKEFAKEFAKEFAKE",
    secretAccessKey: "the/secret+access/key",
    sessionToken: undefined,
    status: "ACTIVE",
    pending: 0,
    fails: false,
    issued: [],
    revoked: new Map(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return fake;
}

/** Signature Version 4 as another implementation computes it, over the headers that the caller says it signed. */
function authenticate(request: FakeRequest, fake: AwsPrivateCa, now: Date): FakeAnswer | null {
  const { headers, body, url } = request;
  const given =
    /Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=/.exec(
      headers.authorization ?? "",
    );
  if (!given) return failure("MissingAuthenticationTokenException", "Missing Authentication Token", 403);
  const [, keyId, scope, service, names = ""] = given;
  const required = [
    "host",
    "x-amz-date",
    "x-amz-target",
    ...(fake.sessionToken ? ["x-amz-security-token"] : []),
  ];
  const signed = names.split(";");
  const lacking = required.filter((name) => !signed.includes(name));
  if (lacking.length > 0) return failure("IncompleteSignatureException", `${lacking} not signed`);
  if (keyId !== fake.accessKeyId || headers["x-amz-security-token"] !== fake.sessionToken)
    return failure("UnrecognizedClientException", "The security token included in the request is invalid.");
  const date = String(headers["x-amz-date"]);
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(now.getTime() - at) < 300_000))
    return failure("InvalidSignatureException", `Signature expired: ${date}`);
  const expected = aws4.sign(
    {
      service: "acm-pca",
      region,
      host: url.host,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: Object.fromEntries(
        signed.map((name) => [name === "x-amz-date" ? "X-Amz-Date" : name, String(headers[name])]),
      ),
      body,
      // It adds and signs this one by itself.
      extraHeadersToIgnore: { "content-length": true },
    } as aws4.Request,
    { accessKeyId: fake.accessKeyId, secretAccessKey: fake.secretAccessKey },
  );
  // What AWS says of a wrong signature repeats what should have been signed.
  const canonical = `The request signature does not match. The Canonical String should have been 'POST / ${signed
    .map((name) => `${name}:${headers[name]}`)
    .join(" ")}'`;
  const signatureOf = (text: unknown) => String(text).split("Signature=")[1];
  const isRight =
    scope === region &&
    service === "acm-pca" &&
    signatureOf(expected.headers?.["Authorization"]) === signatureOf(headers.authorization);
  return isRight ? null : failure("InvalidSignatureException", canonical, 403);
}

function ok(body: unknown): FakeAnswer {
  return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body };
}

function failure(type: string, message: string, status = 400): FakeAnswer {
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: { __type: type, message },
  };
}
