import { z } from "zod";
import { sha256 } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import { askPrivateCa, callPrivateCa, typeOf } from "./aws-private-ca/call.ts";
import { type AwsPrivateCaConfig, awsPrivateCaConfig } from "./aws-private-ca/config.ts";
import { CaRefusal, isFinal } from "./ca-http.ts";
import {
  defineIssuer,
  type Issued,
  type IssueRequest,
  type IssuerContext,
  IssuerError,
  type IssuerTools,
  type Ordered,
  type RevocationReason,
} from "./issuer.ts";

/** How long AWS knows an idempotency token. */
const tokenMs = 60_000;
const pollMs = 5_000;

/** An order that AWS may have taken; `certificate_arn` once it said so. */
const orderState = z.object({
  placed_at: z.number(),
  /** Unix seconds: the same in every try that is to be one order. */
  not_after: z.number(),
  certificate_arn: z.string().optional(),
});

/**
 * AWS Private Certificate Authority. A certificate is made asynchronously and fetched by its ARN. An order whose answer was lost
 * is found again by its idempotency token, which AWS knows for a minute; there is no other way to find it.
 * https://docs.aws.amazon.com/privateca/latest/APIReference/API_IssueCertificate.html
 */
export const awsPrivateCa = defineIssuer({
  kind: "aws-private-ca",
  title: "AWS Private CA",
  config: awsPrivateCaConfig,
  // Which names it signs is between the template and the CA's own policies.
  refuses: () => null,
  rootPem: () => "",

  async test(config, tools) {
    const { Status: status, NotAfter: end, ...authority } = await describe("test", config, tools);
    const name = `${authority.CertificateAuthorityConfiguration.KeyAlgorithm} ${authority.Type} CA`;
    if (status !== "ACTIVE")
      throw new IssuerError("test", `the ${name} does not sign: it is ${status}`, "Configuration");
    const until = end === undefined ? "" : ` until ${new Date(end * 1000).toISOString()}`;
    return `the ${name} is active and signs${until}`;
  },

  async issue(request, config, context) {
    const { order, clock } = context;
    const written = orderState.safeParse(await order.read()).data;
    if (written?.certificate_arn !== undefined) return collect(written.certificate_arn, config, context);
    // Asked before anything is ordered: a CA that cannot be reached has not taken the order.
    const { CertificateAuthorityConfiguration: own } = await describe("order", config, context);
    const algorithm = config.signing_algorithm ?? own.SigningAlgorithm;
    const now = clock().getTime();
    const isKnown = written !== undefined && now - written.placed_at < tokenMs;
    const placed = isKnown
      ? { placed_at: written.placed_at, not_after: written.not_after }
      : { placed_at: now, not_after: Math.floor(now / 1000) + request.validitySeconds };
    await order.write(placed);
    const certificateArn = await place(request, config, context, {
      algorithm,
      notAfter: placed.not_after,
    }).catch(async (error: unknown) => {
      // An earlier order whose answer was lost may have been taken all the same.
      if (written === undefined && isFinal(error)) await order.write(null);
      throw error;
    });
    await order.write({ ...placed, certificate_arn: certificateArn });
    return collect(certificateArn, config, context);
  },

  orderStatus(state, _request, config, context) {
    return collect(orderState.parse(state).certificate_arn ?? "", config, context);
  },

  isCommitted: () => true,

  async revoke({ serial, reason }, config, tools) {
    const input = { CertificateSerial: pairs(serial), RevocationReason: reasons[reason] };
    try {
      await callPrivateCa(tools, config, { step: "revoke", operation: "RevokeCertificate", input });
    } catch (error) {
      const isRevoked =
        error instanceof CaRefusal && typeOf(error.body) === "RequestAlreadyProcessedException";
      if (!isRevoked) throw error;
    }
  },
});

async function place(
  { keyId, csr }: IssueRequest,
  config: AwsPrivateCaConfig,
  tools: IssuerTools,
  { algorithm, notAfter }: { algorithm: string; notAfter: number },
): Promise<string> {
  const input = {
    Csr: Buffer.from(pem("CERTIFICATE REQUEST", csr)).toString("base64"),
    SigningAlgorithm: algorithm,
    TemplateArn: config.template_arn,
    Validity: { Type: "ABSOLUTE", Value: notAfter },
    IdempotencyToken: sha256(Buffer.from(keyId)).toString("hex").slice(0, 36),
  };
  const call = { step: "order", operation: "IssueCertificate", input } as const;
  const answer = await askPrivateCa(tools, config, call, z.object({ CertificateArn: z.string() }));
  return answer.CertificateArn;
}

const made = z.object({ Certificate: z.string(), CertificateChain: z.string().default("") });

async function collect(
  certificateArn: string,
  config: AwsPrivateCaConfig,
  context: IssuerContext,
): Promise<Issued | Ordered> {
  try {
    const input = { CertificateArn: certificateArn };
    const call = { step: "collect", operation: "GetCertificate", input } as const;
    const { Certificate: leaf, CertificateChain: chain } = await askPrivateCa(context, config, call, made);
    return readAnswer("collect", [leaf, chain]);
  } catch (error) {
    const type = error instanceof CaRefusal ? typeOf(error.body) : "";
    if (type === "RequestInProgressException")
      return { reference: certificateArn, pollAfterMs: pollMs, message: "AWS makes the certificate" };
    if (type === "RequestFailedException") await context.order.write(null);
    throw error;
  }
}

const description = z.object({
  CertificateAuthority: z.object({
    Type: z.string(),
    Status: z.string(),
    /** Unix seconds. */
    NotAfter: z.number().optional(),
    CertificateAuthorityConfiguration: z.object({ KeyAlgorithm: z.string(), SigningAlgorithm: z.string() }),
  }),
});

async function describe(step: string, config: AwsPrivateCaConfig, tools: IssuerTools) {
  const call = { step, operation: "DescribeCertificateAuthority" } as const;
  return (await askPrivateCa(tools, config, call, description)).CertificateAuthority;
}

/** "0a:ff": hexadecimal as `openssl x509 -text` writes it. */
function pairs(serial: string): string {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  return (even.match(/../g) ?? []).join(":").toLowerCase();
}

const reasons: Record<RevocationReason, string> = {
  Unspecified: "UNSPECIFIED",
  KeyCompromise: "KEY_COMPROMISE",
  CaCompromise: "CERTIFICATE_AUTHORITY_COMPROMISE",
  AffiliationChanged: "AFFILIATION_CHANGED",
  Superseded: "SUPERSEDED",
  CessationOfOperation: "CESSATION_OF_OPERATION",
  PrivilegeWithdrawn: "PRIVILEGE_WITHDRAWN",
};
