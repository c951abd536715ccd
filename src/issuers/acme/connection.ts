import type { Client } from "acme-client";
import type { Egress } from "../../platform/egress.ts";
import { callHttp } from "../../platform/egress-http.ts";
import { IssuerError } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { AcmeFailure, readProblem } from "./problem.ts";

/** A CA's directory (RFC 8555, 7.1.1), as far as it is needed. */
export interface Directory {
  newNonce: string;
  newOrder: string;
  keyChange?: string;
  /** RFC 9773. */
  renewalInfo?: string;
  meta?: {
    termsOfService?: string;
    externalAccountRequired?: boolean;
    profiles?: Record<string, string>;
  };
}

export interface AcmeConnection {
  /** Its step calls alone are used. */
  client: Client;
  /** Of the account, PEM. */
  keyPem: string;
  directory(): Promise<Directory>;
  /** An unsigned GET. */
  get(url: string): Promise<{ data: unknown; retryAfterMs: number | null }>;
  /** What the CA asked to wait in its last answer that did. */
  retryAfterMs(): number | null;
  /** Signs with the account's key, which it names (RFC 7515), for a resource of the CA. */
  sign(url: string, payload: object): object;
  /** Has the CA know the account by another connection's key (RFC 8555, 7.3.5). */
  changeKey(next: AcmeConnection): Promise<void>;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  data: unknown;
}

/** The part of acme-client that speaks HTTP. */
interface HttpPart {
  maxBadNonceRetries: number;
  request(url: string, method: string, options?: { data?: unknown }): Promise<Answer>;
  getDirectory(): Promise<Directory>;
  getJwk(): object;
  createSignedBody(url: string, payload: object): object;
}

/** The part of it that knows the CA's resources. */
interface ApiPart {
  updateAccountKey(signed: object): Promise<unknown>;
}

/** One refused nonce in two still lets nearly every call through. */
const nonceTries = 20;
const timeoutMs = 30_000;
const mostBytes = 1_048_576;

/**
 * A client of the CA. Everything that it calls, the URLs that the CA answers with included, goes out by `egress`, over HTTPS,
 * and answers that are failures are AcmeFailure. Throws IssuerError for what cannot be reached.
 */
export async function connectAcme(
  config: Pick<AcmeConfig, "directory_url" | "ca" | "eab_key_id" | "eab_hmac_key">,
  account: { keyPem: string; url?: string },
  { egress, signal }: { egress: Egress; signal: AbortSignal },
): Promise<AcmeConnection> {
  // Loaded when the first order is placed: most control planes start without one.
  const acme = await import("acme-client");
  const { eab_key_id: kid, eab_hmac_key: hmacKey } = config;
  const client = new acme.Client({
    directoryUrl: config.directory_url,
    accountKey: account.keyPem,
    ...(account.url ? { accountUrl: account.url } : {}),
    ...(kid === "" ? {} : { externalAccountBinding: { kid, hmacKey } }),
  });
  let waitMs: number | null = null;

  async function request(url: string, method: string, options: { data?: unknown } = {}): Promise<Answer> {
    const verb = method.toUpperCase() as "GET" | "HEAD" | "POST";
    const body = options.data === undefined ? {} : { body: JSON.stringify(options.data) };
    const answer = await callHttp(egress, {
      method: verb,
      url: secureUrl(url),
      headers: { "content-type": "application/jose+json", "accept-language": "en" },
      ...body,
      ...(config.ca === "" ? {} : { ca: config.ca }),
      signal,
      timeoutMs,
      maxBytes: mostBytes,
    }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      const words = error instanceof Error ? error.message || String(error) : String(error);
      throw new IssuerError("connect", words, "Network");
    });
    const { status, headers } = answer;
    const data = readBody(answer.body, headers["content-type"]);
    waitMs = retryAfterOf(headers["retry-after"]);
    const problem = status >= 300 ? readProblem(data) : null;
    // The client itself answers this with the new nonce; it is thrown below when that was in vain.
    if (problem && problem.type !== "badNonce") throw new AcmeFailure(status, problem, waitMs);
    return { status, headers, data };
  }

  const http = Reflect.get(client, "http") as HttpPart;
  http.request = request;
  http.maxBadNonceRetries = nonceTries;
  return {
    client,
    keyPem: account.keyPem,
    directory: () => http.getDirectory(),
    async get(url) {
      const { data } = await request(url, "GET");
      return { data, retryAfterMs: waitMs };
    },
    retryAfterMs: () => waitMs,
    sign: (url, payload) => http.createSignedBody(url, payload),
    async changeKey(next) {
      const { keyChange } = await http.getDirectory();
      if (!keyChange)
        throw new IssuerError("account", "the CA cannot change an account's key", "Configuration");
      const wanted = { account: client.getAccountUrl(), oldKey: http.getJwk() };
      // The client's own way would call the CA by other means than `request`.
      const api = Reflect.get(client, "api") as ApiPart;
      await api.updateAccountKey(next.sign(keyChange, wanted));
    },
  };
}

function secureUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "https:") return url;
  throw new IssuerError(
    "connect",
    `the CA named "${text.slice(0, 200)}", which is no https:// URL`,
    "Refused",
  );
}

function readBody(body: Buffer, type: string | string[] | undefined): unknown {
  const text = body.toString();
  if (!/\bjson\b/.test(String(type ?? ""))) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now; null: neither. */
export function retryAfterOf(header: string | string[] | undefined, now = Date.now()): number | null {
  const text = String(header ?? "").trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = text === "" ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
