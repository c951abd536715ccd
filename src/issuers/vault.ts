import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import { parseSan } from "../x509/names.ts";
import { fromPem, pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import { askCa, type CaApi, callCa } from "./ca-http.ts";
import { defineIssuer, type IssueRequest, IssuerError, type IssuerTools } from "./issuer.ts";
import { hasSigned, signOnce } from "./sign-once.ts";

/** A part of a URL that leads nowhere else. */
const path = z
  .string()
  .max(256)
  .regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w.-]+(?:\/[\w.-]+)*$/, "has to be names with / between them");
const name = z
  .string()
  .max(128)
  .regex(/^(?!\.{1,2}$)[\w.-]+$/, "has to be a name: letters, digits, dots, dashes and underscores");
const secret = z.string().min(1).max(8_192);

const config = z.strictObject({
  address: webUrl("https").meta({
    destination: true,
    description: "Where Vault or OpenBao answers: https://vault.example:8200",
  }),
  ca,
  namespace: path.optional().meta({ description: "The namespace that the engine and the login lie in" }),
  mount: path.default("pki").meta({ description: "Where the PKI engine is mounted" }),
  role: name.meta({ description: "The engine's role that says what may be signed" }),
  issuer_ref: name.optional().meta({ description: "One of the engine's issuers, instead of the role's" }),
  auth: z
    .discriminatedUnion("method", [
      z
        .strictObject({
          method: z.literal("token"),
          token: secret.meta({ secret: true, description: "Is not renewed by certctl" }),
        })
        .meta({ title: "Token" }),
      z
        .strictObject({
          method: z.literal("approle"),
          role_id: z.string().min(1).max(256).meta({ description: "Of the AppRole" }),
          secret_id: secret.meta({ secret: true, description: "Of the AppRole" }),
          mount: path.default("approle").meta({ description: "Where the auth method is mounted" }),
        })
        .meta({ title: "AppRole" }),
    ])
    .meta({ description: "How certctl logs in" }),
});
type Config = z.infer<typeof config>;

/**
 * The PKI engine of HashiCorp Vault or OpenBao. It knows no orders: where its answer to `sign` is lost, the next attempt has it
 * sign again, and the first certificate is known to Vault alone.
 * https://developer.hashicorp.com/vault/api-docs/secret/pki
 */
export const vault = defineIssuer<Config>({
  kind: "vault",
  title: "HashiCorp Vault or OpenBao",
  config,
  // Which names it signs stands in its role.
  refuses: () => null,
  rootPem: () => "",

  async test(config, tools) {
    const session = await logIn("test", config, tools);
    try {
      const paths = { sign: signPath(config), revoke: `${config.mount}/revoke` };
      const allowed = await mayUpdate(session, [paths.sign, paths.revoke]);
      if (!allowed.has(paths.sign))
        throw new IssuerError("test", `the login may not update ${paths.sign}`, "Configuration");
      const { subject, validTo } = await signer(session, config);
      const until = new Date(validTo);
      if (until <= tools.clock())
        throw new IssuerError("test", `the CA ${subject} ended at ${until.toISOString()}`, "Configuration");
      const notes = [
        ...(allowed.has(paths.revoke) ? [] : ["it may not revoke"]),
        ...(await tokenEnd(session)),
      ].map((note) => `; ${note}`);
      return `role ${config.role} signs with ${subject} until ${until.toISOString()}${notes.join("")}`;
    } finally {
      await session.end();
    }
  },

  issue: (request, config, context) =>
    signOnce(context.order, async () => {
      const session = await logIn("sign", config, context);
      try {
        const call = {
          step: "sign",
          method: "POST",
          path: `/v1/${signPath(config)}`,
          body: wish(request),
        } as const;
        const { certificate, issuing_ca, ca_chain } = (await askCa(session.tools, session.api, call, signed))
          .data;
        return readAnswer("sign", [certificate, issuing_ca, ...ca_chain]);
      } finally {
        await session.end();
      }
    }),

  isCommitted: hasSigned,

  // Vault takes no reason, and answers for what is revoked already as it did the first time.
  async revoke({ serial }, config, tools) {
    const session = await logIn("revoke", config, tools);
    try {
      const body = { serial_number: pairs(serial) };
      await callCa(session.tools, session.api, {
        step: "revoke",
        method: "POST",
        path: `/v1/${config.mount}/revoke`,
        body,
      });
    } finally {
      await session.end();
    }
  },
});

const signed = z.object({
  data: z.object({
    certificate: z.string(),
    issuing_ca: z.string(),
    ca_chain: z
      .array(z.string())
      .nullish()
      .transform((chain) => chain ?? []),
  }),
});

function signPath({ mount, role, issuer_ref }: Config): string {
  return issuer_ref === undefined ? `${mount}/sign/${role}` : `${mount}/issuer/${issuer_ref}/sign/${role}`;
}

/** For roles that take names from the CSR, and for those that take them from here. */
function wish({ commonName, sans, csr, validitySeconds }: IssueRequest) {
  const names = sans.map(parseSan);
  const of = (...types: string[]) =>
    names
      .filter(({ type }) => types.includes(type))
      .map(({ value }) => value)
      .join(",");
  return {
    csr: pem("CERTIFICATE REQUEST", csr),
    ...(commonName === "" ? {} : { common_name: commonName }),
    alt_names: of("dns", "email"),
    ip_sans: of("ip"),
    uri_sans: of("uri"),
    exclude_cn_from_sans: true,
    ttl: `${validitySeconds}s`,
    format: "pem",
  };
}

interface Session {
  api: CaApi;
  tools: IssuerTools;
  /** Leaves no token behind that certctl logged in for. */
  end(): Promise<void>;
}

async function logIn(step: string, { address, ca: trusted, namespace, auth }: Config, tools: IssuerTools) {
  const common = {
    "x-vault-request": "true",
    ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
  };
  const open: CaApi = { url: address, ca: trusted, headers: common, words };
  const session = (token: string, end: (api: CaApi) => Promise<unknown>): Session => {
    const api = { ...open, headers: { ...common, "x-vault-token": token } };
    return { api, tools, end: async () => void (await end(api)) };
  };
  if (auth.method === "token") return session(auth.token, async () => {});
  const { role_id, secret_id, mount } = auth;
  const login = z.object({ auth: z.object({ client_token: z.string() }) });
  const call = {
    step,
    method: "POST",
    path: `/v1/auth/${mount}/login`,
    body: { role_id, secret_id },
  } as const;
  const answer = await askCa(tools, { ...open, classOf: refusesLogin }, call, login);
  return session(answer.auth.client_token, (api) =>
    // A batch token cannot be revoked, and ends by itself as every other does.
    callCa(tools, api, { step, method: "POST", path: "/v1/auth/token/revoke-self" }).catch(() => {}),
  );
}

/** Wrong ids and secrets are answered with 400. */
function refusesLogin(status: number) {
  return status === 400 ? ("Configuration" as const) : undefined;
}

function words(body: unknown): string | undefined {
  return z
    .object({ errors: z.array(z.string()) })
    .safeParse(body)
    .data?.errors.join("; ");
}

/** Which of the paths the login may send to. */
async function mayUpdate({ tools, api }: Session, paths: readonly string[]): Promise<Set<string>> {
  const call = { step: "test", method: "POST", path: "/v1/sys/capabilities-self", body: { paths } } as const;
  const { data } = await askCa(
    tools,
    api,
    call,
    z.object({ data: z.record(z.string(), z.array(z.string())) }),
  );
  return new Set(paths.filter((each) => data[each]?.some((can) => can === "update" || can === "root")));
}

/** The certificate that signs. */
async function signer(
  { tools, api }: Session,
  { mount, issuer_ref = "default" }: Config,
): Promise<X509Certificate> {
  const call = { step: "test", method: "GET", path: `/v1/${mount}/issuer/${issuer_ref}/json` } as const;
  const { data } = await askCa(tools, api, call, z.object({ data: z.object({ certificate: z.string() }) }));
  const [der] = fromPem("CERTIFICATE", data.certificate);
  if (!der) throw new IssuerError("test", "the engine has no CA certificate", "Configuration");
  return new X509Certificate(der);
}

async function tokenEnd({ tools, api }: Session): Promise<string[]> {
  const call = { step: "test", method: "GET", path: "/v1/auth/token/lookup-self" } as const;
  const answer = z.object({ data: z.object({ expire_time: z.string().nullish() }) });
  const { data } = await askCa(tools, api, call, answer);
  return data.expire_time ? [`the token ends at ${data.expire_time}`] : [];
}

/** "0a:ff", as Vault names serial numbers. */
function pairs(serial: string): string {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  return (even.match(/../g) ?? []).join(":").toLowerCase();
}
