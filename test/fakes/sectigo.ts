import { z } from "zod";
import { readCsr } from "../../src/x509/csr.ts";
import { fromPem } from "../../src/x509/pem.ts";
import { type FakeAnswer, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type Signed } from "./signing-ca.ts";

const organization = 103;
const profile = { id: 1013, name: "Public SSL", description: "", terms: [30, 46, 199], keyTypes: {} };

const enrollment = z.strictObject({
  orgId: z.int(),
  csr: z.string().min(1).max(32_767),
  subjAltNames: z.string().optional(),
  certType: z.int(),
  term: z.int().min(1),
  comments: z.string().max(1_024).optional(),
  externalRequester: z.string().max(512).optional(),
  customFields: z.array(z.strictObject({ name: z.string(), value: z.string().max(256) })).optional(),
  dcvMode: z.enum(["CNAME", "EMAIL", "HTTP", "HTTPS", "TXT"]).optional(),
});
const revocation = z.strictObject({
  reasonCode: z.union([z.literal(0), z.literal(1), z.literal(3), z.literal(4), z.literal(5)]),
  reason: z.string().min(1).max(512),
});

interface SslCertificate {
  sslId: number;
  commonName: string;
  request: z.infer<typeof enrollment>;
  status: "Requested" | "Applied" | "Issued" | "Declined" | "Revoked";
  signed: Signed | null;
  reasonCode?: number;
}

/** SCM as far as its "Certificate Manager REST API" reference, release 25.5, tells. */
export interface Sectigo extends AsyncDisposable {
  server: FakeServer;
  customerUri: string;
  login: string;
  password: string;
  organization: number;
  profile: typeof profile;
  /** Every one of these has to come with a request. */
  customFields: string[];
  /** Whether requests wait for an administrator. */
  approves: boolean;
  certificates: SslCertificate[];
  last(): SslCertificate;
  /** Issues what waits. */
  proceed(): void;
}

export async function startSectigo(clock: () => Date): Promise<Sectigo> {
  const ca = makeSigningCa(clock());

  function sign(certificate: SslCertificate): void {
    const { csr, term, subjAltNames } = certificate.request;
    const [der = Buffer.of()] = fromPem("CERTIFICATE REQUEST", csr);
    const notAfter = new Date(clock().getTime() + term * 86_400_000);
    const sans = subjAltNames?.split(",");
    certificate.signed = ca.sign({ csr: der, notAfter, ...(sans ? { sans } : {}) });
    certificate.status = "Issued";
  }

  function enroll(body: unknown): FakeAnswer {
    const read = enrollment.safeParse(body);
    if (!read.success) return failure(400, -1601, read.error.message);
    const { orgId, certType, term, csr, subjAltNames } = read.data;
    if (orgId !== organization) return failure(400, -1023, `Organization '${orgId}' not found.`);
    if (certType !== profile.id) return failure(400, -111, `No certificate profile found by id ${certType}`);
    if (!profile.terms.includes(term))
      return failure(400, -36, "The validity period (term) is invalid for this certificate profile.");
    const given = (read.data.customFields ?? []).map(({ name }) => name);
    if (fake.customFields.some((name) => !given.includes(name)))
      return failure(400, -62, "Missing mandatory custom field!");
    const [der] = fromPem("CERTIFICATE REQUEST", csr);
    if (!der) return failure(400, -138, "Invalid CSR.");
    const sslId = 50 + fake.certificates.length;
    const commonName = readCsr(der).commonName || (subjAltNames?.split(",")[0] ?? "");
    const status = fake.approves ? "Requested" : "Applied";
    fake.certificates.push({ sslId, commonName, request: read.data, status, signed: null });
    if (!fake.approves) sign(fake.last());
    return { status: 200, body: { sslId, renewId: "gu03sW6WENt7GTvDTuOP" } };
  }

  function list(query: URLSearchParams): FakeAnswer {
    const known = ["size", "position", "commonName", "orgId", "sslTypeId"];
    if ([...query.keys()].some((key) => !known.includes(key))) return failure(400, -1601, "unknown filter");
    const found = fake.certificates.filter(
      ({ commonName, request }) =>
        commonName === query.get("commonName") &&
        String(request.orgId) === query.get("orgId") &&
        String(request.certType) === query.get("sslTypeId"),
    );
    const [position, size] = [Number(query.get("position") ?? 0), Number(query.get("size") ?? 200)];
    if (size > 200) return failure(400, -1601, "Field 'size' has invalid value.");
    const body = found
      .slice(position, position + size)
      .map(({ sslId, commonName }) => ({ sslId, commonName }));
    return { status: 200, headers: { "x-total-count": String(found.length) }, body };
  }

  function collect(id: string, format: string | null): FakeAnswer {
    const certificate = byId(id);
    if (!certificate) return failure(404, -124, `Wrong SSL certificate id ${id}.`);
    if (!certificate.signed) return failure(400, -183, "Certificate is not collectable.");
    const texts: Record<string, string> = {
      x509CO: certificate.signed.leafPem,
      x509IO: `${ca.rootPem}${ca.issuerPem}`,
    };
    const body = texts[format ?? ""];
    return body === undefined
      ? failure(400, -1450, `Unsupported certificate format specified: ${format}`)
      : { status: 200, headers: { "content-type": "application/octet-stream" }, body };
  }

  function revoke(serial: string, body: unknown): FakeAnswer {
    const certificate = fake.certificates.find((one) => one.signed?.serial === serial.replaceAll(":", ""));
    const read = revocation.safeParse(body);
    if (!certificate || !/^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(serial))
      return failure(404, -5101, "Certificate not found.");
    if (!read.success) return failure(400, -1601, read.error.message);
    if (certificate.status === "Revoked") return failure(400, -159, "Your certificate already revoked");
    certificate.status = "Revoked";
    certificate.reasonCode = read.data.reasonCode;
    return { status: 204 };
  }

  const byId = (id: string) => fake.certificates.find(({ sslId }) => String(sslId) === id);

  const server = await startFakeServer(({ method, url, headers, body }) => {
    const { login, password, customeruri } = headers;
    if (login !== fake.login || password !== fake.password || customeruri !== fake.customerUri)
      return failure(401, -16, "Unknown user");
    const [, path = ""] = /^\/api(\/.*)$/.exec(url.pathname) ?? [];
    const call = `${method} ${path}`;
    const json = () => (headers["content-type"] === "application/json" ? JSON.parse(body) : undefined);
    if (call === "GET /ssl/v1/types") {
      const isOurs = url.searchParams.get("organizationId") === String(organization);
      return { status: 200, body: isOurs ? [profile] : [] };
    }
    if (call === "GET /ssl/v1/customFields") {
      const fields = fake.customFields.map((name, index) => ({ id: index, name, mandatory: true }));
      return { status: 200, body: [...fields, { id: 99, name: "Ticket", mandatory: false }] };
    }
    if (call === "GET /ssl/v1") return list(url.searchParams);
    if (call === "POST /ssl/v1/enroll") return enroll(json());
    const [, collected] = /^GET \/ssl\/v1\/collect\/(\d+)$/.exec(call) ?? [];
    if (collected !== undefined) return collect(collected, url.searchParams.get("format"));
    const [, serial] = /^POST \/ssl\/v1\/revoke\/serial\/(.+)$/.exec(call) ?? [];
    if (serial !== undefined) return revoke(serial, json());
    const [, id] = /^GET \/ssl\/v1\/(\d+)$/.exec(call) ?? [];
    const certificate = byId(id ?? "");
    if (!certificate) return failure(404, -124, `Wrong SSL certificate id ${id}.`);
    const { sslId, commonName, request, status } = certificate;
    return { status: 200, body: { sslId, id: sslId, commonName, status, comments: request.comments } };
  });
  const fake: Sectigo = {
    server,
    customerUri: "cst206",
    login: "admin_customer206",
    password: "Password123!",
    organization,
    profile,
    customFields: [],
    approves: false,
    certificates: [],
    last() {
      const certificate = fake.certificates.at(-1);
      if (!certificate) throw new Error("nothing was requested");
      return certificate;
    },
    proceed() {
      for (const certificate of fake.certificates) if (certificate.signed === null) sign(certificate);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return fake;
}

function failure(status: number, code: number, description: string): FakeAnswer {
  return { status, body: { code, description } };
}
