import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";
import { askCa, type CaApi } from "../ca-http.ts";
import { IssuerError, type IssuerTools } from "../issuer.ts";
import { type GoogleCasConfig, keyOf, type ServiceAccountKey } from "./config.ts";

const scope = "https://www.googleapis.com/auth/cloud-platform";
const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** "projects/p/locations/l/caPools/c" */
export function poolOf({ project, location, ca_pool: pool }: GoogleCasConfig): string {
  return `projects/${project}/locations/${location}/caPools/${pool}`;
}

/**
 * The API, with an access token for the service account.
 * https://cloud.google.com/certificate-authority-service/docs/reference/rest
 */
export async function openApi(step: string, config: GoogleCasConfig, tools: IssuerTools): Promise<CaApi> {
  const token = await accessToken(step, config, tools);
  return {
    url: `${config.url.replace(/\/$/, "")}/v1`,
    ca: config.ca,
    headers: { authorization: `Bearer ${token}` },
    words: (body) => googleError.safeParse(body).data?.error.message,
    classOf: (_status, body) => {
      const status = googleError.safeParse(body).data?.error.status;
      // A CA that is disabled, or a pool without one: another CA may do better.
      return status === "FAILED_PRECONDITION" ? "Refused" : undefined;
    },
  };
}

const googleError = z.object({ error: z.object({ message: z.string(), status: z.string().default("") }) });

/** RFC 7523: https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
async function accessToken(step: string, config: GoogleCasConfig, tools: IssuerTools): Promise<string> {
  const key = keyOf(config.service_account_key);
  if (!key) throw new IssuerError(step, "the service account's key is no JSON key file", "Configuration");
  const assertion = await signedAssertion(step, key, config.token_url, tools.clock());
  const { origin, pathname, search } = new URL(config.token_url);
  const api: CaApi = {
    url: origin,
    ca: config.ca,
    words: (body) => {
      const { error, error_description: description } = tokenError.safeParse(body).data ?? {};
      return error && [error, description].filter(Boolean).join(": ");
    },
    classOf: (status) => (status === 400 ? "Configuration" : undefined),
  };
  const call = {
    step,
    method: "POST",
    path: `${pathname}${search}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ grant_type: grantType, assertion }).toString(),
  } as const;
  return (await askCa(tools, api, call, z.object({ access_token: z.string().min(1) }))).access_token;
}

const tokenError = z.object({ error: z.string(), error_description: z.string().optional() });

async function signedAssertion(
  step: string,
  { client_email: email, private_key: pem, private_key_id: id }: ServiceAccountKey,
  audience: string,
  now: Date,
): Promise<string> {
  const key = await importPKCS8(pem, "RS256").catch(() => {
    throw new IssuerError(
      step,
      "the private key in the service account's key cannot be read",
      "Configuration",
    );
  });
  const seconds = Math.floor(now.getTime() / 1000);
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: id })
    .setIssuer(email)
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 600)
    .sign(key);
}
