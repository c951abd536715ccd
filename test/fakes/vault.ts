import { randomUUID } from "node:crypto";
import { z } from "zod";
import { fromPem } from "../../src/x509/pem.ts";
import { type FakeAnswer, type FakeRequest, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type SigningCa } from "./signing-ca.ts";

/**
 * The PKI engine, the token and the AppRole method of Vault as their API documents them; no Vault was called.
 * https://developer.hashicorp.com/vault/api-docs/secret/pki (Sign Certificate, Revoke Certificate, Read Issuer),
 * https://developer.hashicorp.com/vault/api-docs/auth/approle and /auth/token, /system/capabilities-self.
 * Stricter than Vault: a parameter that the documents do not name is refused.
 */
export interface Vault extends AsyncDisposable {
  server: FakeServer;
  ca: SigningCa;
  namespace: string;
  mount: string;
  role: string;
  issuerRef: string;
  /** What a token may update, and until when it is good. */
  tokens: Map<string, { paths: string[]; expireTime: string | null }>;
  approle: { mount: string; roleId: string; secretId: string };
  /** Whether the role takes the names of the CSR (`use_csr_sans`), or those that are sent beside it. */
  useCsrSans: boolean;
  maxTtlSeconds: number;
  signed: { serial: string; commonName: string; ttlSeconds: number; issuer: string }[];
  /** Serial numbers in Vault's form. */
  revoked: Set<string>;
}

const signRequest = z.strictObject({
  csr: z.string(),
  common_name: z.string().optional(),
  alt_names: z.string().default(""),
  ip_sans: z.string().default(""),
  uri_sans: z.string().default(""),
  exclude_cn_from_sans: z.boolean().default(false),
  ttl: z.string().regex(/^\d+s$/),
  format: z.literal("pem"),
});

export async function startVault(clock: () => Date): Promise<Vault> {
  const ca = makeSigningCa(clock());
  const server = await startFakeServer((request) => answer(vault, request, clock()));
  const vault: Vault = {
    server,
    ca,
    namespace: "",
    mount: "pki",
    role: "web",
    issuerRef: "default",
    tokens: new Map(),
    approle: { mount: "approle", roleId: "59d6d1ca", secretId: "84896a0c" },
    useCsrSans: true,
    maxTtlSeconds: 90 * 86_400,
    signed: [],
    revoked: new Set(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  vault.tokens.set("hvs.right", { paths: ["pki/sign/web", "pki/revoke"], expireTime: null });
  return vault;
}

const refuse = (status: number, ...errors: string[]): FakeAnswer => ({ status, body: { errors } });
const data = (body: object): FakeAnswer => ({
  status: 200,
  body: { request_id: randomUUID(), lease_id: "", renewable: false, data: body, warnings: null, auth: null },
});

function answer(vault: Vault, { method, url, headers, body }: FakeRequest, now: Date): FakeAnswer {
  if (headers["x-vault-request"] !== "true") return refuse(400, "missing X-Vault-Request header");
  if ((headers["x-vault-namespace"] ?? "") !== vault.namespace) return refuse(404, "no handler for route");
  const call = `${method} ${url.pathname.replace(/^\/v1\//, "")}`;
  const sent: unknown = body === "" ? {} : JSON.parse(body);
  if (call === `POST auth/${vault.approle.mount}/login`) return logIn(vault, sent);
  if (call === `GET ${vault.mount}/issuer/${vault.issuerRef}/json`)
    return data({ certificate: vault.ca.issuerPem, ca_chain: [vault.ca.issuerPem, vault.ca.rootPem] });
  const token = String(headers["x-vault-token"] ?? "");
  const known = vault.tokens.get(token);
  if (!known) return refuse(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token");
  if (call === "POST auth/token/revoke-self") {
    vault.tokens.delete(token);
    return { status: 204 };
  }
  if (call === "GET auth/token/lookup-self") return data({ expire_time: known.expireTime, type: "service" });
  if (call === "POST sys/capabilities-self") {
    const { paths } = z.strictObject({ paths: z.array(z.string()) }).parse(sent);
    return data(
      Object.fromEntries(paths.map((path) => [path, known.paths.includes(path) ? ["update"] : ["deny"]])),
    );
  }
  const path = call.replace(/^POST /, "");
  if (!known.paths.includes(path)) return refuse(403, "1 error occurred:\n\t* permission denied");
  if (path === `${vault.mount}/revoke`) return revoke(vault, sent, now);
  const { mount, role, issuerRef } = vault;
  if (path === `${mount}/sign/${role}`) return sign(vault, sent, now, "role's");
  if (path === `${mount}/issuer/${issuerRef}/sign/${role}`) return sign(vault, sent, now, issuerRef);
  return path.includes("/sign/") ? refuse(400, `unknown role: ${path}`) : refuse(404, "no handler for route");
}

function logIn(vault: Vault, sent: unknown): FakeAnswer {
  const { role_id, secret_id } = z.strictObject({ role_id: z.string(), secret_id: z.string() }).parse(sent);
  if (role_id !== vault.approle.roleId || secret_id !== vault.approle.secretId)
    return refuse(400, "invalid role or secret ID");
  const token = `hvs.${randomUUID()}`;
  const paths = [...vault.tokens.values()].flatMap((known) => known.paths);
  vault.tokens.set(token, { paths, expireTime: "2030-06-01T13:00:00Z" });
  return {
    status: 200,
    body: { auth: { client_token: token, lease_duration: 3600, renewable: true }, data: null },
  };
}

function sign(vault: Vault, sent: unknown, now: Date, issuer: string): FakeAnswer {
  const read = signRequest.safeParse(sent);
  if (!read.success)
    return refuse(400, `unknown or wrong: ${read.error.issues.map((each) => each.path).join()}`);
  const { csr, common_name = "", alt_names, ip_sans, uri_sans, ttl } = read.data;
  const [der] = fromPem("CERTIFICATE REQUEST", csr);
  if (!der) return refuse(400, 'the "csr" field contained no data');
  const asked = [alt_names, ip_sans, uri_sans]
    .flatMap((list) => list.split(","))
    .filter((each) => each !== "");
  if (asked.some((each) => each.endsWith(".forbidden.example")))
    return refuse(400, "subject alternate name x.forbidden.example not allowed by this role");
  const ttlSeconds = Math.min(Number(ttl.slice(0, -1)), vault.maxTtlSeconds);
  const notAfter = new Date(now.getTime() + ttlSeconds * 1_000);
  const { leafPem, serial } = vault.ca.sign({
    csr: der,
    notAfter,
    ...(vault.useCsrSans ? {} : { sans: asked }),
  });
  const serialNumber = pairs(serial);
  vault.signed.push({ serial: serialNumber, commonName: common_name, ttlSeconds, issuer });
  return data({
    expiration: Math.floor(notAfter.getTime() / 1_000),
    certificate: leafPem,
    issuing_ca: vault.ca.issuerPem,
    ca_chain: [vault.ca.issuerPem, vault.ca.rootPem],
    serial_number: serialNumber,
  });
}

function revoke(vault: Vault, sent: unknown, now: Date): FakeAnswer {
  const { serial_number } = z.strictObject({ serial_number: z.string() }).parse(sent);
  if (!vault.signed.some(({ serial }) => serial === serial_number))
    return refuse(400, `certificate with serial ${serial_number} not found`);
  vault.revoked.add(serial_number);
  return data({ revocation_time: Math.floor(now.getTime() / 1_000), state: "revoked" });
}

/** "0a:ff" */
function pairs(serial: string): string {
  return (serial.match(/../g) ?? []).join(":").toLowerCase();
}
