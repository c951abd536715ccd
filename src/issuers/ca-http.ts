import type { z } from "zod";
import type { ClientCertificate } from "../platform/egress.ts";
import { callHttp, type EgressAnswer } from "../platform/egress-http.ts";
import type { FailureClass } from "../platform/failure.ts";
import { freeText } from "../platform/free-text.ts";
import { IssuerError, type IssuerTools } from "./issuer.ts";

/** A CA's API over HTTP. */
export interface CaApi {
  /** Where it begins; a call's path is added to it. */
  url: string;
  /** PEM; the well-known roots when left out. */
  ca?: string | undefined;
  client?: ClientCertificate | undefined;
  /** Whoever answers is believed: only for what a pin is compared with. */
  isUnverified?: boolean;
  /** Sent with every call. */
  headers?: Readonly<Record<string, string>>;
  /** What this API's own form of a refusal says. Without words only the status is shown: bodies are not echoed. */
  words?(body: unknown): string | undefined;
  /** The class of a refusal, where the API's own code says more than the status does. */
  classOf?(status: number, body: unknown): FailureClass | undefined;
}

/** A CA answered, and refused. */
export class CaRefusal extends IssuerError {
  readonly status: number;
  /** As JSON; undefined where it was none. */
  readonly body: unknown;

  constructor(
    answer: { status: number; body: unknown },
    ...[step, message, failureClass, retryAfterMs]: ConstructorParameters<typeof IssuerError>
  ) {
    super(step, message, failureClass, retryAfterMs);
    this.status = answer.status;
    this.body = answer.body;
  }
}

/** Whether a CA has said no: it did not do what it was asked, and will not. */
export function isFinal(error: unknown): boolean {
  return error instanceof CaRefusal && error.failureClass !== "Network";
}

export interface CaCall {
  /** Of the job, for people: "sign". */
  step: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Begins with a slash; parts of it are encoded already. */
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  /** A value is sent as JSON; a text as it is, with the content type that `headers` says. */
  body?: unknown;
  timeoutMs?: number;
}

type Tools = Pick<IssuerTools, "egress" | "signal" | "clock">;

const timeoutMs = 30_000;
/** A chain of a dozen certificates is far below it. */
const maxBytes = 1_048_576;
const mostWords = 500;

/** One call; the answer, which is 2xx. Throws IssuerError for every other and for what the network says. */
export async function callCa(tools: Tools, api: CaApi, call: CaCall): Promise<EgressAnswer> {
  const { step, method, path, query = {}, body } = call;
  const url = new URL(api.url.replace(/\/+$/, "") + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const isText = typeof body === "string";
  const answer = await callHttp(tools.egress, {
    method,
    url,
    headers: {
      accept: "application/json",
      ...(body === undefined || isText ? {} : { "content-type": "application/json" }),
      ...api.headers,
      ...call.headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    ...(api.ca === undefined ? {} : { ca: api.ca }),
    ...(api.client === undefined ? {} : { client: api.client }),
    isUnverified: api.isUnverified ?? false,
    signal: tools.signal,
    timeoutMs: call.timeoutMs ?? timeoutMs,
    maxBytes,
  }).catch((error: unknown) => {
    if (tools.signal.aborted) throw error;
    throw new IssuerError(step, `${url.host}: ${reasonOf(error)}`, "Network");
  });
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refusal(step, url.host, api, answer, tools.clock());
}

/** The same for an answer in JSON, of which `schema` says what is needed. */
export async function askCa<T>(tools: Tools, api: CaApi, call: CaCall, schema: z.ZodType<T>): Promise<T> {
  const { body } = await callCa(tools, api, call);
  const { host } = new URL(api.url);
  const json = parse(body);
  if (json === undefined)
    throw new IssuerError(call.step, `${host} answered in something other than JSON`, "Network");
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const where = read.error.issues.map(({ path }) => path.join(".") || "the whole").join(", ");
  throw new IssuerError(
    call.step,
    `${host} answered in a form that is not known; not as expected: ${where}`,
    "Refused",
  );
}

function refusal(step: string, host: string, api: CaApi, answer: EgressAnswer, now: Date): IssuerError {
  const { status, statusText, headers } = answer;
  const body = parse(answer.body);
  const words = freeText(api.words?.(body) ?? "", mostWords);
  const retryAfterMs = retryAfter(headers["retry-after"], now);
  const failureClass = api.classOf?.(status, body) ?? classOf(status, retryAfterMs !== null);
  const line = `${host} answered ${status} ${statusText}`.trim();
  const moved = status >= 300 && status < 400 ? `${line}; redirects are not followed` : line;
  const message = words === "" ? moved : `${moved}: ${words}`;
  return new CaRefusal({ status, body }, step, message, failureClass, retryAfterMs);
}

function classOf(status: number, saysWhen: boolean): FailureClass {
  if (status === 429 || (status === 503 && saysWhen)) return "RateLimited";
  if (status >= 500 || status === 408) return "Network";
  // Credentials, permissions, addresses and redirects: the configuration, here or there, has to change.
  return status < 400 || [401, 403, 404, 405, 407].includes(status) ? "Configuration" : "Refused";
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfter(value: string | string[] | undefined, now: Date): number | null {
  if (typeof value !== "string") return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return freeText(error instanceof Error ? error.message || error.name : String(error), mostWords);
}
