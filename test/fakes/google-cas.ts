import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import { fromPem } from "../../src/x509/pem.ts";
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type Signed } from "./signing-ca.ts";

const pool = "projects/acme-pki/locations/europe-west1/caPools/servers";
const email = "certctl@acme-pki.iam.gserviceaccount.com";

const uuid = z.uuid();
const newCertificate = z.strictObject({
  pemCsr: z.string(),
  lifetime: z.string().regex(/^\d+(\.\d{1,9})?s$/),
  certificateTemplate: z.string().optional(),
});
const revocation = z.strictObject({
  reason: z.enum([
    "REVOCATION_REASON_UNSPECIFIED",
    "KEY_COMPROMISE",
    "CERTIFICATE_AUTHORITY_COMPROMISE",
    "AFFILIATION_CHANGED",
    "SUPERSEDED",
    "CESSATION_OF_OPERATION",
    "CERTIFICATE_HOLD",
    "PRIVILEGE_WITHDRAWN",
    "ATTRIBUTE_AUTHORITY_COMPROMISE",
  ]),
  requestId: uuid.optional(),
});

interface Resource extends Signed {
  id: string;
  query: Record<string, string>;
  body: z.infer<typeof newCertificate>;
  revokedFor?: string;
}

/**
 * Google Cloud CA Service as far as its REST reference tells
 * (https://cloud.google.com/certificate-authority-service/docs/reference/rest), with the token endpoint for service accounts.
 */
export interface GoogleCas extends AsyncDisposable {
  server: FakeServer;
  /** The JSON key file of a service account. */
  keyFile: string;
  tier: "ENTERPRISE" | "DEVOPS";
  granted: string[];
  /** Of the pool, by id. */
  authorities: string[];
  issued: Resource[];
}

export async function startGoogleCas(clock: () => Date): Promise<GoogleCas> {
  const ca = makeSigningCa(clock());
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const tokens = new Map<string, number>();
  const requests = new Map<string, { resource: Resource; at: number }>();

  function exchange(request: FakeRequest): FakeAnswer {
    const form = new URLSearchParams(request.body);
    const isForm = request.headers["content-type"] === "application/x-www-form-urlencoded";
    if (!isForm || form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer")
      return { status: 400, body: { error: "unsupported_grant_type" } };
    const audience = `${server.url}/token`;
    const problem = problemOf(form.get("assertion") ?? "", privateKey, audience, clock());
    if (problem) return { status: 400, body: { error: "invalid_grant", error_description: problem } };
    const token = `ya29.${tokens.size}`;
    tokens.set(token, clock().getTime() + 3_600_000);
    return { status: 200, body: { access_token: token, expires_in: 3600, token_type: "Bearer" } };
  }

  function create(query: Record<string, string>, body: unknown): FakeAnswer {
    const wanted = newCertificate.safeParse(body);
    if (!wanted.success) return failure(400, "INVALID_ARGUMENT", wanted.error.message);
    const { certificateId: id = "", requestId, issuingCertificateAuthorityId: authority, ...unknown } = query;
    if (Object.keys(unknown).length > 0) return failure(400, "INVALID_ARGUMENT", "unknown query parameter");
    if (!/^[a-zA-Z0-9_-]{1,63}$/.test(id) || !uuid.safeParse(requestId).success)
      return failure(400, "INVALID_ARGUMENT", "certificateId or requestId is malformed");
    if (authority !== undefined && !fake.authorities.includes(authority))
      return failure(404, "NOT_FOUND", `CA ${authority} was not found in the pool`);
    if (fake.authorities.length === 0)
      return failure(400, "FAILED_PRECONDITION", "There are no enabled CAs in the CaPool.");
    const { certificateTemplate: template } = wanted.data;
    if (
      template !== undefined &&
      template !== "projects/acme-pki/locations/europe-west1/certificateTemplates/tls"
    )
      return failure(404, "NOT_FOUND", `${template} was not found`);
    const before = requests.get(requestId ?? "");
    if (before && clock().getTime() - before.at < 3_600_000)
      return { status: 200, body: shown(before.resource) };
    if (fake.tier === "ENTERPRISE" && fake.issued.some((resource) => resource.id === id))
      return failure(409, "ALREADY_EXISTS", `Resource '${pool}/certificates/${id}' already exists`);
    const [csr] = fromPem("CERTIFICATE REQUEST", wanted.data.pemCsr);
    if (!csr) return failure(400, "INVALID_ARGUMENT", "The CSR could not be parsed");
    const lifetimeMs = Number.parseFloat(wanted.data.lifetime) * 1000;
    const signed = ca.sign({ csr, notAfter: new Date(clock().getTime() + lifetimeMs) });
    const resource = { id, query, body: wanted.data, ...signed };
    fake.issued.push(resource);
    requests.set(requestId ?? "", { resource, at: clock().getTime() });
    return { status: 200, body: shown(resource) };
  }

  function shown({ id, body, leafPem, revokedFor }: Resource) {
    return {
      name: `${pool}/certificates/${fake.tier === "DEVOPS" ? "" : id}`,
      ...body,
      pemCertificate: leafPem,
      pemCertificateChain: [ca.issuerPem, ca.rootPem],
      ...(revokedFor ? { revocationDetails: { revocationState: revokedFor } } : {}),
    };
  }

  function ofCertificate(id: string, action: string, method: string, body: unknown): FakeAnswer {
    const resource = fake.tier === "DEVOPS" ? undefined : fake.issued.find((one) => one.id === id);
    if (!resource) return failure(404, "NOT_FOUND", `Resource '${id}' was not found`);
    if (method === "GET" && action === "") return { status: 200, body: shown(resource) };
    if (method !== "POST" || action !== ":revoke") return failure(404, "NOT_FOUND", "no such method");
    const wanted = revocation.safeParse(body);
    if (!wanted.success) return failure(400, "INVALID_ARGUMENT", wanted.error.message);
    if (resource.revokedFor)
      return failure(400, "FAILED_PRECONDITION", "The certificate is already revoked.");
    resource.revokedFor = wanted.data.reason;
    return { status: 200, body: shown(resource) };
  }

  const server = await startFakeServer((request) => {
    const { method, url, headers } = request;
    if (url.pathname === "/token") return exchange(request);
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
    if ((tokens.get(token) ?? 0) < clock().getTime())
      return failure(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
    const body = request.body === "" ? {} : JSON.parse(request.body);
    const query = Object.fromEntries(url.searchParams);
    const call = `${method} ${url.pathname.replace(`/v1/${pool}`, "{pool}")}`;
    switch (call) {
      case "GET {pool}":
        return { status: 200, body: { name: pool, tier: fake.tier } };
      case "POST {pool}:testIamPermissions": {
        const { permissions } = z.strictObject({ permissions: z.array(z.string()) }).parse(body);
        return {
          status: 200,
          body: { permissions: permissions.filter((one) => fake.granted.includes(one)) },
        };
      }
      case "POST {pool}:fetchCaCerts":
        return {
          status: 200,
          body: { caCerts: fake.authorities.map(() => ({ certificates: [ca.issuerPem, ca.rootPem] })) },
        };
      case "POST {pool}/certificates":
        return create(query, body);
      default: {
        const [, id = "", action = ""] = /\{pool\}\/certificates\/([^/:]+)(:\w+)?$/.exec(call) ?? [];
        return id
          ? ofCertificate(id, action, method, body)
          : failure(404, "NOT_FOUND", `${call} was not found`);
      }
    }
  });
  const fake: GoogleCas = {
    server,
    keyFile: JSON.stringify({
      type: "service_account",
      project_id: "acme-pki",
      private_key_id: "key-1",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      client_email: email,
      token_uri: `${server.url}/token`,
    }),
    tier: "ENTERPRISE",
    granted: ["privateca.certificates.create", "privateca.certificates.get", "privateca.certificates.update"],
    authorities: ["ca-1"],
    issued: [],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return fake;
}

/** What is wrong with an assertion (RFC 7523, section 3), checked without the library that made it. */
function problemOf(assertion: string, key: KeyObject, audience: string, now: Date): string | null {
  const [header = "", payload = "", signature = ""] = assertion.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString() || "{}");
  const { alg, kid } = read(header);
  if (alg !== "RS256" || kid !== "key-1") return "Invalid JWT header";
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify("sha256", signed, createPublicKey(key), Buffer.from(signature, "base64url")))
    return "Invalid JWT Signature.";
  const { iss, aud, scope, iat, exp } = read(payload);
  if (iss !== email) return "Invalid grant: account not found";
  if (aud !== audience) return "Invalid JWT: audience";
  if (scope !== "https://www.googleapis.com/auth/cloud-platform") return "Invalid scope";
  const seconds = now.getTime() / 1000;
  const isTimely = iat <= seconds + 60 && exp > seconds && exp - iat <= 3600;
  return isTimely ? null : "Invalid JWT: Token must be a short-lived token";
}

function failure(code: number, status: string, message: string): FakeAnswer {
  return { status: code, body: { error: { code, message, status } } };
}
