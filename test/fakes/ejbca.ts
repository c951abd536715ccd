import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { fromPem } from "../../src/x509/pem.ts";
import { makeChain } from "../certificates.ts";
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type SigningCa } from "./signing-ca.ts";

/**
 * EJBCA's REST interface by its published API; no EJBCA was called. A field that the API does not have is refused.
 * https://docs.keyfactor.com/ejbca/latest/ejbca-rest-interface (v1/ca, .../certificate/download, v1/certificate/pkcs10enroll,
 * .../search, .../{request_id}/finalize, .../revoke)
 */
export interface Ejbca extends AsyncDisposable {
  server: FakeServer;
  ca: SigningCa;
  /** The names that it knows. */
  authority: string;
  certificateProfile: string;
  endEntityProfile: string;
  /** The client that it lets in. */
  client: { certificatePem: string; keyPem: string };
  token: string;
  lifetimeDays: number;
  /** Whether somebody has to approve enrolments: as newer releases have it, as those without the number, or not in one call at all. */
  approvals: "none" | "numbered" | "linked" | "refused";
  /** What somebody has to approve, or has: by number. */
  requests: Map<number, Approval>;
  /** Revocations have to be approved. */
  approvesRevocations: boolean;
  enrolled: { username: string; serial: string; certificate: string }[];
  /** Lower-case serial numbers, with the reason. */
  revoked: Map<string, string>;
}

export interface Approval {
  status: "waiting" | "approved" | "rejected" | "expired" | "failed" | "finalized";
  username: string;
  password: string;
  csr: Buffer;
}

const finalization = z.strictObject({ response_format: z.literal("DER"), password: z.string() });
const search = z.strictObject({
  max_number_of_results: z.int(),
  criteria: z.tuple([
    z.strictObject({ property: z.literal("QUERY"), value: z.string(), operation: z.literal("EQUAL") }),
  ]),
});
const enrolment = z.strictObject({
  certificate_request: z.string(),
  certificate_authority_name: z.string(),
  certificate_profile_name: z.string(),
  end_entity_profile_name: z.string(),
  username: z.string().min(1),
  password: z.string().min(1),
  include_chain: z.boolean(),
});
const reasons = [
  "UNSPECIFIED",
  "KEY_COMPROMISE",
  "CA_COMPROMISE",
  "AFFILIATION_CHANGED",
  "SUPERSEDED",
  "CESSATION_OF_OPERATION",
  "PRIVILEGES_WITHDRAWN",
];

const refuse = (status: number, words: string): FakeAnswer => ({
  status,
  body: { error_code: status, error_message: words },
});

export async function startEjbca(clock: () => Date): Promise<Ejbca> {
  const { leafPem, keyPem } = makeChain({ sans: ["certctl.example"] });
  const ca = makeSigningCa(clock());
  const server = await startFakeServer((request) => answer(fake, request, clock()));
  const fake: Ejbca = {
    server,
    ca,
    authority: "Issuing CA",
    certificateProfile: "TLS Server",
    endEntityProfile: "TLS Hosts",
    client: { certificatePem: leafPem, keyPem },
    token: "right-token",
    lifetimeDays: 46,
    approvals: "none",
    requests: new Map(),
    approvesRevocations: false,
    enrolled: [],
    revoked: new Map(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return fake;
}

function answer(
  fake: Ejbca,
  { method, url, headers, body, clientFingerprint }: FakeRequest,
  now: Date,
): FakeAnswer {
  const known = new X509Certificate(fake.client.certificatePem).fingerprint256;
  if (clientFingerprint !== known && headers.authorization !== `Bearer ${fake.token}`)
    return refuse(403, "Client certificate or OAuth bearer token required.");
  const path = url.pathname.replace("/ejbca/ejbca-rest-api", "");
  if (method === "GET" && path === "/v1/ca") return listed(fake);
  if (method === "POST" && path === "/v1/certificate/pkcs10enroll") return enrol(fake, body, now);
  const download = /^\/v1\/ca\/([^/]+)\/certificate\/download$/.exec(path);
  if (method === "GET" && download) return downloaded(fake, decodeURIComponent(download[1] ?? ""));
  if (method === "POST" && path === "/v1/certificate/search") return searched(fake, body);
  const finalizing = /^\/v1\/certificate\/(\d+)\/finalize$/.exec(path);
  if (method === "POST" && finalizing) return finalized(fake, Number(finalizing[1]), body, now);
  const revocation = /^\/v1\/certificate\/([^/]+)\/([0-9a-f]+)\/revoke$/.exec(path);
  if (method === "PUT" && revocation) {
    const [, dn = "", serial = ""] = revocation;
    return revoke(fake, { dn: decodeURIComponent(dn), serial, reason: url.searchParams.get("reason") ?? "" });
  }
  return { status: 404 };
}

function listed({ authority, ca }: Ejbca): FakeAnswer {
  const of = { issuer_dn: "CN=Fake Root", expiration_date: ca.notAfter.toISOString() };
  const all = [
    { id: 1, name: "ManagementCA", subject_dn: "CN=ManagementCA", ...of },
    { id: 2, name: authority, subject_dn: "CN=Fake Issuing CA", ...of },
  ];
  return { status: 200, body: { certificate_authorities: all } };
}

function enrol(fake: Ejbca, body: string, now: Date): FakeAnswer {
  const sent = enrolment.safeParse(JSON.parse(body));
  if (!sent.success)
    return refuse(400, `unknown or missing: ${sent.error.issues.map(({ path }) => path).join()}`);
  const wish = sent.data;
  if (wish.certificate_authority_name !== fake.authority) return refuse(400, "Unknown CA");
  if (wish.certificate_profile_name !== fake.certificateProfile)
    return refuse(400, "Unknown certificate profile");
  if (wish.end_entity_profile_name !== fake.endEntityProfile)
    return refuse(400, "Unknown end entity profile");
  const [csr] = fromPem("CERTIFICATE REQUEST", wish.certificate_request);
  if (!csr) return refuse(400, "Invalid PKCS#10");
  const { username, password } = wish;
  if (fake.approvals === "refused")
    return refuse(
      400,
      "Single transaction enrollment request rejected since approvals are enabled for this CA (2) or Certificate Profile (3).",
    );
  if (fake.approvals !== "none") {
    const id = 4_711 + fake.requests.size;
    fake.requests.set(id, { status: "waiting", username, password, csr });
    return waiting(fake, id, "The request has been added for approval");
  }
  const { certificate, serial } = sign(fake, username, csr, now);
  const answered = { certificate, serial_number: serial, response_format: "DER" };
  const chain = [der(fake.ca.issuerPem), der(fake.ca.rootPem)];
  return { status: 201, body: wish.include_chain ? { ...answered, certificate_chain: chain } : answered };
}

/** What is no error: somebody has to say yes. */
function waiting({ approvals, server }: Ejbca, id: number, words: string): FakeAnswer {
  const link = `${server.url}/ejbca/ejbca-rest-api/v1/certificate/${id}/finalize`;
  const said = { status_code: 202, info_message: words, link };
  return { status: 202, body: approvals === "numbered" ? { ...said, request_id: id } : said };
}

/** No chain comes with what is finalized. */
function finalized(fake: Ejbca, id: number, body: string, now: Date): FakeAnswer {
  const sent = finalization.safeParse(JSON.parse(body));
  if (!sent.success) return refuse(400, "Invalid parameter: response_format");
  const request = fake.requests.get(id);
  if (!request) return refuse(400, `Could not find request with Id '${id}'`);
  const told = {
    rejected: "has been rejected",
    expired: "has expired",
    failed: "could not be executed",
  };
  const { status, username, password, csr } = request;
  if (status === "waiting") return waiting(fake, id, `Request with Id '${id}' is still waiting for approval`);
  if (status === "finalized") return refuse(400, `Enrollment with Id '${id}' has already been finalized`);
  if (status !== "approved") return refuse(400, `Request with Id '${id}' ${told[status]}`);
  if (sent.data.password !== password) return refuse(403, "Got request with wrong password.");
  request.status = "finalized";
  const { certificate, serial } = sign(fake, username, csr, now);
  return { status: 201, body: { certificate, serial_number: serial, response_format: "DER" } };
}

function sign(fake: Ejbca, username: string, csr: Buffer, now: Date) {
  const notAfter = new Date(now.getTime() + fake.lifetimeDays * 86_400_000);
  const { leafPem, serial } = fake.ca.sign({ csr, notAfter });
  const signed = { username, serial, certificate: der(leafPem) };
  fake.enrolled.push(signed);
  return signed;
}

function downloaded({ ca }: Ejbca, dn: string): FakeAnswer {
  if (dn !== "CN=Fake Issuing CA") return refuse(404, `CA with subject DN: '${dn}' does not exist.`);
  return { status: 200, body: ca.issuerPem + ca.rootPem };
}

function searched({ enrolled }: Ejbca, body: string): FakeAnswer {
  const sent = search.safeParse(JSON.parse(body));
  if (!sent.success) return refuse(400, "Invalid criteria value.");
  const [{ value }] = sent.data.criteria;
  const found = enrolled.filter(({ username }) => username === value);
  // Searching has its own form: the certificate's base64, as bytes.
  const certificates = found.map(({ certificate, serial }) => ({
    certificate: Buffer.from(certificate).toString("base64"),
    serial_number: serial,
    response_format: "DER",
  }));
  return { status: 200, body: { certificates, more_results: false } };
}

function der(text: string): string {
  return (fromPem("CERTIFICATE", text)[0] ?? Buffer.alloc(0)).toString("base64");
}

function revoke(
  fake: Ejbca,
  { dn, serial, reason }: { dn: string; serial: string; reason: string },
): FakeAnswer {
  if (dn !== "CN=Fake Issuing CA") return refuse(404, `CA with subject DN: '${dn}' does not exist.`);
  if (!fake.enrolled.some((each) => each.serial.toLowerCase() === serial))
    return refuse(404, "Certificate not found.");
  if (!reasons.includes(reason)) return refuse(400, "Invalid revocation reason.");
  if (fake.revoked.has(serial)) return refuse(409, "Certificate is already revoked.");
  if (fake.approvesRevocations)
    return { status: 202, body: { status_code: 202, info_message: "Revocation has been sent for approval" } };
  fake.revoked.set(serial, reason);
  return {
    status: 200,
    body: { issuer_dn: dn, serial_number: serial, revoked: true, revocation_reason: reason },
  };
}
