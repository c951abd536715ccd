import { X509Certificate } from "node:crypto";
import { z } from "zod";
import type { ClientCertificate } from "../../platform/egress.ts";
import { readCsr } from "../../x509/csr.ts";
import { spkiOf } from "../../x509/keys.ts";
import { pem } from "../../x509/pem.ts";
import { askCa, type CaApi, CaRefusal, callCa } from "../ca-http.ts";
import { type IssueRequest, IssuerError, type IssuerTools } from "../issuer.ts";
import type { EjbcaConfig } from "./config.ts";

/** What EJBCA answers to an enrolment: a certificate with its chain as far as it sends one, PEM, or that a person has to approve it. */
export type Enrolment = { texts: string[] } | { requestId: number };

const enrolled = z.object({
  certificate: z.string(),
  response_format: z.literal("DER"),
  certificate_chain: z.array(z.string()).default([]),
});
/** Newer releases say the request's id, all name the address at which it is finalized. */
const waiting = z.object({
  request_id: z.int().positive().optional(),
  link: z.string().optional(),
});

export function apiOf({ url, ca: trusted, auth }: EjbcaConfig): CaApi {
  const api = { url, ca: trusted, words, classOf };
  if (auth.method === "bearer") return { ...api, headers: { authorization: `Bearer ${auth.token}` } };
  const client: ClientCertificate = { cert: auth.certificate, key: auth.private_key };
  return { ...api, client };
}

/** Has EJBCA sign for a CSR, under an end entity that it makes for the key. */
export async function enrol(
  tools: IssuerTools,
  config: EjbcaConfig,
  request: IssueRequest,
): Promise<Enrolment> {
  const body = {
    certificate_request: pem("CERTIFICATE REQUEST", request.csr),
    certificate_authority_name: config.certificate_authority,
    certificate_profile_name: config.certificate_profile,
    end_entity_profile_name: config.end_entity_profile,
    username: userOf(config, request),
    password: passwordOf(request),
    include_chain: true,
  };
  const path = "/v1/certificate/pkcs10enroll";
  return answered("enrol", await callCa(tools, apiOf(config), { step: "enrol", method: "POST", path, body }));
}

/** Asks for the certificate of a request that has to be approved. */
export async function finalize(
  tools: IssuerTools,
  config: EjbcaConfig,
  request: IssueRequest,
  requestId: number,
): Promise<Enrolment> {
  const body = { response_format: "DER", password: passwordOf(request) };
  const call = {
    step: "finalize",
    method: "POST",
    path: `/v1/certificate/${requestId}/finalize`,
    body,
  } as const;
  try {
    return answered("finalize", await callCa(tools, apiOf(config), call));
  } catch (error) {
    // Its answer was lost on the way.
    if (!isSaid(error, /already been finalized/)) throw error;
    return { texts: await signedFor(tools, config, request) };
  }
}

/** The chain of the CA that signed a certificate, PEM. */
export async function chainAbove(tools: IssuerTools, config: EjbcaConfig, leaf: string): Promise<string[]> {
  const dn = encodeURIComponent(nameOf(new X509Certificate(leaf).issuer));
  const path = `/v1/ca/${dn}/certificate/download`;
  const { body } = await callCa(tools, apiOf(config), { step: "finalize", method: "GET", path });
  return [body.toString()];
}

/** EJBCA says that a request will not be signed: somebody rejected it, or nobody looked at it in time. */
export function isRejected(error: unknown): boolean {
  return isSaid(error, /has been rejected|has expired|could not be executed|Could not find request/);
}

/** "CN=Issuing CA,O=Example": the most specific part in front, as EJBCA writes names. */
export function nameOf(name: string): string {
  return name.split("\n").reverse().join(",");
}

function answered(step: string, { status, body }: { status: number; body: Buffer }): Enrolment {
  const said = parse(body);
  if (status === 202) {
    const { data } = waiting.safeParse(said);
    const requestId = data?.request_id ?? Number(/\/(\d+)\/finalize$/.exec(data?.link ?? "")?.[1] ?? 0);
    if (requestId > 0) return { requestId };
    throw new IssuerError(
      step,
      "EJBCA wants the enrolment approved by a person and does not say under which number; name profiles that need no approval",
      "Configuration",
    );
  }
  const read = enrolled.safeParse(said);
  if (!read.success) throw new IssuerError(step, "EJBCA answered in a form that is not known", "Refused");
  const { certificate, certificate_chain: chain } = read.data;
  return { texts: [certificate, ...chain].map(asPem) };
}

const found = z.object({ certificates: z.array(z.object({ certificate: z.string() })) });

/** The certificate that was signed for the key, by the end entity that was made for it. */
async function signedFor(tools: IssuerTools, config: EjbcaConfig, request: IssueRequest): Promise<string[]> {
  const criteria = [{ property: "QUERY", value: userOf(config, request), operation: "EQUAL" }];
  const body = { max_number_of_results: 10, criteria };
  const call = { step: "finalize", method: "POST", path: "/v1/certificate/search", body } as const;
  const { certificates } = await askCa(tools, apiOf(config), call, found);
  const { spki } = readCsr(request.csr);
  const own = certificates
    .map(({ certificate }) => asPem(certificate))
    .find((text) => spkiOf(new X509Certificate(text).publicKey).equals(spki));
  if (own) return [own];
  throw new IssuerError(
    "finalize",
    "EJBCA signed for the request, and does not find the certificate",
    "Refused",
  );
}

function userOf({ user_prefix: prefix }: EjbcaConfig, { keyId }: IssueRequest): string {
  return `${prefix}${keyId}`;
}

/** EJBCA asks for one; nothing else can be done with it than to finalize the enrolment that it was sent with. */
function passwordOf({ keyId }: IssueRequest): string {
  return keyId;
}

function isSaid(error: unknown, said: RegExp): boolean {
  return error instanceof CaRefusal && error.status === 400 && said.test(words(error.body) ?? "");
}

function words(body: unknown): string | undefined {
  return z.object({ error_message: z.string() }).safeParse(body).data?.error_message;
}

/** Releases that enrol in one call only take no request that somebody has to approve: other profiles are needed. */
function classOf(_status: number, body: unknown): "Configuration" | undefined {
  return /approvals are enabled/.test(words(body) ?? "") ? "Configuration" : undefined;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** DER in base64; what is searched for comes in base64 once more. */
function asPem(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const isDer = bytes[0] === 0x30;
  return pem("CERTIFICATE", isDer ? bytes : Buffer.from(bytes.toString(), "base64"));
}
