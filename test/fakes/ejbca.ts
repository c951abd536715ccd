import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { fromPem } from "../../src/x509/pem.ts";
import { makeChain } from "../certificates.ts";
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type SigningCa } from "./signing-ca.ts";

/**
 * EJBCA's REST interface by its published API; no EJBCA was called. A field that the API does not have is refused.
 * https://docs.keyfactor.com/ejbca/latest/ejbca-rest-interface (v1/ca, v1/certificate/pkcs10enroll, .../revoke)
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
  needsApproval: boolean;
  enrolled: { username: string; serial: string }[];
  /** Lower-case serial numbers, with the reason. */
  revoked: Map<string, string>;
}

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
    needsApproval: false,
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
  if (fake.needsApproval) return refuse(202, "Approval with request ID 17 is needed");
  const [csr] = fromPem("CERTIFICATE REQUEST", wish.certificate_request);
  if (!csr) return refuse(400, "Invalid PKCS#10");
  const notAfter = new Date(now.getTime() + fake.lifetimeDays * 86_400_000);
  const { leafPem, serial } = fake.ca.sign({ csr, notAfter });
  fake.enrolled.push({ username: wish.username, serial });
  const der = (text: string) => (fromPem("CERTIFICATE", text)[0] ?? Buffer.alloc(0)).toString("base64");
  const answered = { certificate: der(leafPem), serial_number: serial, response_format: "DER" };
  const chain = [der(fake.ca.issuerPem), der(fake.ca.rootPem)];
  return { status: 201, body: wish.include_chain ? { ...answered, certificate_chain: chain } : answered };
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
  fake.revoked.set(serial, reason);
  return {
    status: 200,
    body: { issuer_dn: dn, serial_number: serial, revoked: true, revocation_reason: reason },
  };
}
