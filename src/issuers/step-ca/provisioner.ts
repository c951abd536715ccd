import { randomBytes } from "node:crypto";
import { calculateJwkThumbprint, compactDecrypt, importJWK, type JWK, SignJWT } from "jose";
import { z } from "zod";
import { askCa } from "../ca-http.ts";
import { IssuerError, type IssuerTools } from "../issuer.ts";
import type { StepCaConfig } from "./config.ts";
import type { Connection } from "./connection.ts";

const tokenSeconds = 300;
const pageSize = 100;
const mostPages = 50;
/** Guessing passwords is made slow by so many rounds; the CA's own default is 600,000. */
const mostRounds = 2_000_000;

const provisioner = z.object({
  type: z.string(),
  name: z.string(),
  key: z.looseObject({ kid: z.string().optional() }).optional(),
  encryptedKey: z.string().optional(),
  claims: z.object({ maxTLSCertDuration: z.string().optional() }).nullish(),
});
export type Provisioner = z.infer<typeof provisioner>;

const page = z.object({ provisioners: z.array(provisioner), nextCursor: z.string().optional() });
const privateJwk = z.looseObject({ kty: z.string(), kid: z.string().optional(), alg: z.string().optional() });

export interface ProvisionerKey {
  jwk: JWK;
  kid: string;
}

/** The CA's JWK provisioners of the configured name: one has several keys while they are changed. Throws IssuerError. */
export async function findProvisioners(
  step: string,
  { provisioner: name }: StepCaConfig,
  { api }: Connection,
  tools: IssuerTools,
): Promise<Provisioner[]> {
  const found: Provisioner[] = [];
  for (let cursor = "", pages = 0; pages < mostPages; pages++) {
    const query = { limit: String(pageSize), ...(cursor === "" ? {} : { cursor }) };
    const { provisioners, nextCursor = "" } = await askCa(
      tools,
      api,
      { step, method: "GET", path: "/1.0/provisioners", query },
      page,
    );
    found.push(...provisioners.filter((each) => each.type === "JWK" && each.name === name));
    cursor = nextCursor;
    if (cursor === "") break;
  }
  if (found.length > 0) return found;
  throw new IssuerError(step, `the CA has no JWK provisioner ${name}`, "Configuration");
}

/** The provisioner's private key. Throws IssuerError; its words hold nothing of the key. */
export async function openKey(
  step: string,
  config: StepCaConfig,
  connection: Connection,
  tools: IssuerTools,
): Promise<ProvisionerKey> {
  const { key } = config;
  if (key.from === "jwk") return readKey(step, key.jwk);
  const password = Buffer.from(key.password);
  for (const { encryptedKey } of await findProvisioners(step, config, connection, tools)) {
    if (encryptedKey === undefined) continue;
    const opened = await decrypt(encryptedKey, password);
    if (opened !== null) return readKey(step, opened);
  }
  throw new IssuerError(
    step,
    `the password opens no key of the provisioner ${config.provisioner}, or the CA does not keep it`,
    "Configuration",
  );
}

async function decrypt(encryptedKey: string, password: Buffer): Promise<string | null> {
  const options = { keyManagementAlgorithms: ["PBES2-HS256+A128KW"], maxPBES2Count: mostRounds };
  try {
    const { plaintext } = await compactDecrypt(encryptedKey, password, options);
    return Buffer.from(plaintext).toString();
  } catch {
    // Another password, or another key of the same provisioner.
    return null;
  }
}

async function readKey(step: string, text: string): Promise<ProvisionerKey> {
  try {
    const jwk = privateJwk.parse(JSON.parse(text)) as JWK;
    if (jwk.d === undefined) throw new Error("it is not private");
    return { jwk, kid: jwk.kid ?? (await calculateJwkThumbprint(jwk)) };
  } catch {
    throw new IssuerError(step, "the provisioner's key is no private JWK", "Configuration");
  }
}

/** A token for one call: for whom, and for which names, the CA may sign or revoke. */
export async function oneTimeToken(
  { jwk, kid }: ProvisionerKey,
  {
    provisioner: issuer,
    audience,
    subject,
    claims,
    now,
  }: { provisioner: string; audience: string; subject: string; claims: Record<string, unknown>; now: Date },
): Promise<string> {
  const alg = jwk.alg ?? "ES256";
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg, kid, typ: "JWT" })
    .setJti(randomBytes(32).toString("hex"))
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + tokenSeconds)
    .sign(await importJWK(jwk, alg));
}
