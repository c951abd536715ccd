import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { z } from "zod";
import { mask } from "../../connectors/secrets.ts";
import type { EgressAnswer } from "../../platform/egress-http.ts";
import type { FailureClass } from "../../platform/failure.ts";
import { askCa, type CaApi, type CaCall, callCa } from "../ca-http.ts";
import type { IssuerTools } from "../issuer.ts";
import type { AwsPrivateCaConfig } from "./config.ts";

type Tools = Pick<IssuerTools, "egress" | "signal" | "clock">;
type Operation = "IssueCertificate" | "GetCertificate" | "DescribeCertificateAuthority" | "RevokeCertificate";

interface PrivateCaCall {
  step: string;
  operation: Operation;
  input?: Record<string, unknown>;
}

/**
 * Calls AWS Private CA: AWS JSON 1.1, signed by Signature Version 4.
 * https://docs.aws.amazon.com/privateca/latest/APIReference/API_Operations.html
 */
export async function callPrivateCa(
  tools: Tools,
  config: AwsPrivateCaConfig,
  call: PrivateCaCall,
): Promise<EgressAnswer> {
  return callCa(tools, apiOf(config), await signedCall(config, call, tools.clock()));
}

/** The same for an answer of which `schema` says what is needed. */
export async function askPrivateCa<Answer>(
  tools: Tools,
  config: AwsPrivateCaConfig,
  call: PrivateCaCall,
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  return askCa(tools, apiOf(config), await signedCall(config, call, tools.clock()), schema);
}

function apiOf(config: AwsPrivateCaConfig): CaApi {
  const secrets = [config.secret_access_key, ...(config.session_token ? [config.session_token] : [])];
  return {
    url: endpointOf(config),
    ca: config.ca,
    // What AWS says of a wrong signature repeats the signed headers.
    words: (body) =>
      secrets.reduce(
        (text, secret) => text.replaceAll(secret, mask),
        [typeOf(body), messageOf(body)].filter((word) => word !== "").join(": "),
      ),
    classOf: (_status, body) => classes[typeOf(body)],
  };
}

async function signedCall(
  config: AwsPrivateCaConfig,
  { step, operation, input }: PrivateCaCall,
  now: Date,
): Promise<CaCall> {
  const { protocol, hostname, host } = new URL(endpointOf(config));
  const body = JSON.stringify({ CertificateAuthorityArn: config.certificate_authority_arn, ...input });
  const unsigned = {
    host,
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": `ACMPrivateCA.${operation}`,
  };
  const request = { method: "POST", protocol, hostname, path: "/", headers: unsigned, body };
  const { headers } = await signer(config).sign(request, { signingDate: now });
  return { step, method: "POST", path: "/", headers, body };
}

function endpointOf({ endpoint, region }: AwsPrivateCaConfig): string {
  return endpoint ?? `https://acm-pca.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

function signer(config: AwsPrivateCaConfig): SignatureV4 {
  const {
    region,
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
    session_token: token,
  } = config;
  return new SignatureV4({
    service: "acm-pca",
    region,
    sha256: Sha256,
    credentials: { accessKeyId, secretAccessKey, ...(token === undefined ? {} : { sessionToken: token }) },
  });
}

/** SHA-256 or, with a key, its HMAC, in the form that the signer wants. */
class Sha256 {
  private readonly state: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.state = key === undefined ? createHash("sha256") : createHmac("sha256", bytes(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.state.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.state.digest();
  }

  reset(): void {
    throw new Error("is used once");
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

const refusal = z.object({
  __type: z.string().default(""),
  message: z.string().optional(),
  Message: z.string().optional(),
});

/** "MalformedCSRException", whatever namespace stands before it. */
export function typeOf(body: unknown): string {
  return refusal.safeParse(body).data?.__type.split("#").at(-1) ?? "";
}

function messageOf(body: unknown): string {
  const { message, Message } = refusal.safeParse(body).data ?? {};
  return message ?? Message ?? "";
}

/** https://docs.aws.amazon.com/privateca/latest/APIReference/CommonErrors.html; AWS sends most of them with status 400. */
const classes: Record<string, FailureClass | undefined> = {
  AccessDeniedException: "Configuration",
  ExpiredTokenException: "Configuration",
  IncompleteSignatureException: "Configuration",
  InvalidArnException: "Configuration",
  InvalidClientTokenId: "Configuration",
  InvalidSignatureException: "Configuration",
  MissingAuthenticationTokenException: "Configuration",
  OptInRequired: "Configuration",
  ResourceNotFoundException: "Configuration",
  UnrecognizedClientException: "Configuration",
  LimitExceededException: "RateLimited",
  ThrottlingException: "RateLimited",
  TooManyRequestsException: "RateLimited",
  InternalFailure: "Network",
  ServiceUnavailable: "Network",
};
