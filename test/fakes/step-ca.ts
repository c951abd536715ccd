import {
  createCipheriv,
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  pbkdf2Sync,
  randomBytes,
  verify,
} from "node:crypto";
import { z } from "zod";
import { makeCsr, readCsr } from "../../src/x509/csr.ts";
import { parseSan } from "../../src/x509/names.ts";
import { fromPem } from "../../src/x509/pem.ts";
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type SigningCa } from "./signing-ca.ts";

/**
 * step-ca by what its API package and its documents say; no step-ca was called.
 * https://github.com/smallstep/certificates: api/sign.go, api/revoke.go, api/errors.go, authority/provisioner/jwk.go;
 * https://smallstep.com/docs/step-ca/provisioners/#jwk. Tokens are verified and keys encrypted here with node:crypto alone; a
 * field or a claim that the documents do not name is refused. Its TLS certificate comes from its own root.
 */
export interface StepCa extends AsyncDisposable {
  server: FakeServer;
  ca: SigningCa;
  /** SHA-256, lower-case hexadecimal. */
  fingerprint: string;
  provisioner: { name: string; kid: string; password: string; privateJwk: JsonWebKey };
  /** How many provisioners of other names come before it, in pages of 100. */
  others: number;
  health: string;
  maxSeconds: number;
  signed: { serial: string; subject: string; sans: string[] }[];
  /** Decimal serial numbers, with the code of the reason. */
  revoked: Map<string, number>;
}

const claims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: z.string().min(1),
  jti: z.string().length(64),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  sha: z.string(),
  sans: z.array(z.string()).optional(),
});
const header = z.strictObject({ alg: z.literal("ES256"), kid: z.string(), typ: z.literal("JWT") });
const signRequest = z.strictObject({ csr: z.string(), ott: z.string(), notAfter: z.iso.datetime() });
const revokeRequest = z.strictObject({
  serial: z.string().regex(/^\d+$/),
  ott: z.string(),
  reasonCode: z.int().min(0).max(10),
  reason: z.string(),
  passive: z.literal(true),
});

export async function startStepCa(clock: () => Date): Promise<StepCa> {
  const ca = makeSigningCa(clock());
  const identity = newKey();
  const csr = makeCsr(identity.privateKey, "", [parseSan("localhost")]);
  const { leafPem } = ca.sign({ csr, notAfter: new Date(clock().getTime() + 86_400_000) });
  const [rootDer = Buffer.alloc(0)] = fromPem("CERTIFICATE", ca.rootPem);
  const key = newKey();
  const used = new Set<string>();
  const server = await startFakeServer((request) => answer(step, { request, now: clock(), key, used }), {
    identity: {
      cert: leafPem + ca.issuerPem,
      key: identity.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      ca: ca.rootPem,
    },
  });
  const privateJwk = key.privateKey.export({ format: "jwk" });
  const step: StepCa = {
    server,
    ca,
    fingerprint: createHash("sha256").update(rootDer).digest("hex"),
    provisioner: {
      name: "certctl@example.com",
      kid: thumbprint(privateJwk),
      password: "a long password",
      privateJwk,
    },
    others: 0,
    health: "ok",
    maxSeconds: 100 * 86_400,
    signed: [],
    revoked: new Map(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return step;
}

const refuse = (status: number, message: string): FakeAnswer => ({ status, body: { status, message } });

interface Call {
  request: FakeRequest;
  now: Date;
  key: { publicKey: KeyObject };
  used: Set<string>;
}

function answer(step: StepCa, call: Call): FakeAnswer {
  const { method, url, body } = call.request;
  const route = `${method} ${url.pathname}`;
  if (route === `GET /root/${step.fingerprint}`) return { status: 200, body: { ca: step.ca.rootPem } };
  if (route.startsWith("GET /root/")) return refuse(404, "root was not found");
  if (route === "GET /health") return { status: 200, body: { status: step.health } };
  if (route === "GET /1.0/provisioners") return provisioners(step, url);
  if (route === "POST /1.0/sign") return sign(step, call, JSON.parse(body));
  if (route === "POST /1.0/revoke") return revoke(step, call, JSON.parse(body));
  return refuse(404, "404 page not found");
}

function provisioners({ others, provisioner }: StepCa, url: URL): FakeAnswer {
  const limit = Number(url.searchParams.get("limit"));
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const { name, kid, password, privateJwk } = provisioner;
  const { d, ...publicJwk } = privateJwk;
  const own = {
    type: "JWK",
    name,
    key: { use: "sig", kid, alg: "ES256", ...publicJwk },
    encryptedKey: encrypt(JSON.stringify({ ...privateJwk, kid, alg: "ES256" }), password),
    claims: { maxTLSCertDuration: "2400h0m0s" },
  };
  const all = [...Array.from({ length: others }, (_, at) => ({ type: "ACME", name: `acme-${at}` })), own];
  const next = start + limit < all.length ? { nextCursor: String(start + limit) } : {};
  return { status: 200, body: { provisioners: all.slice(start, start + limit), ...next } };
}

/** The token's claims, or why it is refused. */
function authorize(step: StepCa, call: Call, ott: string, path: string): z.infer<typeof claims> | string {
  const [head = "", payload = "", signature = ""] = ott.split(".");
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  const read = claims.safeParse(decode(payload));
  const { kid } = header.parse(decode(head));
  if (!read.success) return `invalid claims: ${read.error.issues.map((each) => each.path).join()}`;
  const { iss, aud, jti, nbf, exp, sha } = read.data;
  const isOwn = verify(
    "sha256",
    Buffer.from(`${head}.${payload}`),
    { key: call.key.publicKey, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  const seconds = call.now.getTime() / 1000;
  if (iss !== step.provisioner.name || kid !== step.provisioner.kid || aud !== step.server.url + path)
    return `authority.authorizeToken: provisioner not found or invalid audience (${aud})`;
  if (!isOwn) return "jwk.authorizeToken; error parsing jwk claims";
  if (nbf > seconds + 60 || exp < seconds - 60 || exp - nbf > 3600)
    return "jwk.authorizeToken; invalid jwk claims";
  if (sha !== step.fingerprint) return "the token is for another root";
  if (call.used.has(jti)) return "authority.authorizeToken: token already used";
  call.used.add(jti);
  return read.data;
}

function sign(step: StepCa, call: Call, body: unknown): FakeAnswer {
  const { csr, ott, notAfter } = signRequest.parse(body);
  const token = authorize(step, call, ott, "/1.0/sign");
  if (typeof token === "string") return refuse(401, token);
  const [der = Buffer.alloc(0)] = fromPem("CERTIFICATE REQUEST", csr);
  const read = readCsr(der);
  const sans = token.sans ?? [token.sub];
  const asked = read.sans.map(({ value }) => value);
  if ((read.commonName ?? "") !== "" && read.commonName !== token.sub)
    return refuse(
      403,
      "error signing certificate: certificate request does not contain the valid common name",
    );
  if (asked.toSorted().join() !== sans.toSorted().join())
    return refuse(403, "error signing certificate: certificate request does not contain the valid DNS names");
  const seconds = (Date.parse(notAfter) - call.now.getTime()) / 1000;
  if (seconds > step.maxSeconds)
    return refuse(
      403,
      `requested duration of ${seconds}s is more than the authorized maximum certificate duration`,
    );
  const { leafPem, serial } = step.ca.sign({ csr: der, sans, notAfter: new Date(notAfter) });
  step.signed.push({ serial: BigInt(`0x${serial}`).toString(), subject: token.sub, sans });
  const certChain = [leafPem, step.ca.issuerPem];
  return { status: 201, body: { crt: leafPem, ca: step.ca.issuerPem, certChain, tlsOptions: {} } };
}

function revoke(step: StepCa, call: Call, body: unknown): FakeAnswer {
  const { serial, ott, reasonCode } = revokeRequest.parse(body);
  const token = authorize(step, call, ott, "/1.0/revoke");
  if (typeof token === "string") return refuse(401, token);
  if (token.sub !== serial) return refuse(401, "token subject and serial number do not match");
  if (step.revoked.has(serial))
    return refuse(400, `certificate with serial number '${serial}' is already revoked`);
  step.revoked.set(serial, reasonCode);
  return { status: 200, body: { status: "ok" } };
}

function newKey() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** RFC 7638. */
function thumbprint({ crv, kty, x, y }: JsonWebKey): string {
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}

/** RFC 7516 compact, RFC 7518: PBES2-HS256+A128KW and A256GCM. */
function encrypt(text: string, password: string): string {
  const p2s = randomBytes(16);
  const p2c = 100_000;
  const alg = "PBES2-HS256+A128KW";
  const head = { alg, cty: "jwk+json", enc: "A256GCM", p2c, p2s: p2s.toString("base64url") };
  const protectedHeader = Buffer.from(JSON.stringify(head)).toString("base64url");
  const salt = Buffer.concat([Buffer.from(alg), Buffer.from([0]), p2s]);
  const wrapping = pbkdf2Sync(password, salt, p2c, 16, "sha256");
  const contentKey = randomBytes(32);
  const wrap = createCipheriv("id-aes128-wrap", wrapping, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([wrap.update(contentKey), wrap.final()]);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", contentKey, iv).setAAD(Buffer.from(protectedHeader));
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  const rest = [wrapped, iv, sealed, cipher.getAuthTag()].map((part) => part.toString("base64url"));
  return [protectedHeader, ...rest].join(".");
}
