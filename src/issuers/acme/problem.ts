import type { JsonObject } from "@bufbuild/protobuf";
import type { FailureClass } from "../../platform/failure.ts";
import { IssuerError } from "../issuer.ts";

/** What a CA says of a failure (RFC 7807, RFC 8555 6.7). */
export interface Problem {
  /** Without the URN's prefix: "rateLimited"; empty: the CA gave none. */
  type: string;
  detail: string;
  /** The HTTP status that it speaks of; 0: none. */
  status: number;
  /** What it says of single names. */
  subproblems: { identifier: string; type: string; detail: string }[];
}

const urn = "urn:ietf:params:acme:error:";
const mostWords = 2_000;

/** Reads a problem document; of anything else, whatever of it is text. */
export function readProblem(value: unknown): Problem {
  const { type, title, detail, status, subproblems } = objectOf(value);
  return {
    type: textOf(type).replace(urn, ""),
    detail: textOf(detail) || textOf(title),
    status: Number.isInteger(status) && Number(status) > 0 && Number(status) < 1000 ? Number(status) : 0,
    subproblems: (Array.isArray(subproblems) ? subproblems : []).slice(0, 100).map((one: unknown) => {
      const { identifier, ...inner } = objectOf(one);
      const { type: kind, detail: words } = readProblem(inner);
      return { identifier: textOf(objectOf(identifier)["value"]), type: kind, detail: words };
    }),
  };
}

/** In one line, for people. */
export function problemText({ type, detail, subproblems }: Problem): string {
  const inner = subproblems.map(({ identifier, detail: words }) => `${identifier}: ${words}`).join("; ");
  return (
    [detail || type || "the CA did not say why", inner].filter((text) => text !== "").join(" (") +
    (inner && ")")
  );
}

/** An answer of the CA that is a failure. */
export class AcmeFailure extends Error {
  readonly status: number;
  readonly problem: Problem;
  readonly retryAfterMs: number | null;

  constructor(status: number, problem: Problem, retryAfterMs: number | null) {
    super(problemText(problem));
    this.status = status;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Problems that stay until somebody changes something: the issuer's settings, the account, or what is asked for. */
const configuration = new Set([
  "accountDoesNotExist",
  "badCSR",
  "badPublicKey",
  "badSignatureAlgorithm",
  "externalAccountRequired",
  "invalidContact",
  "invalidProfile",
  "malformed",
  "rejectedIdentifier",
  "unauthorized",
  "unsupportedContact",
  "unsupportedIdentifier",
  "userActionRequired",
]);

/** What an answer of the CA to one of our calls means for the job. */
export function failureClassOf({ type }: Problem, status: number): FailureClass {
  if (type === "rateLimited" || status === 429) return "RateLimited";
  if (configuration.has(type)) return "Configuration";
  if (status >= 500 || type === "badNonce" || type === "serverInternal") return "Network";
  return "Refused";
}

/** The failure of a step, as the job shows it. */
export function issuerError(step: string, error: unknown): unknown {
  if (!(error instanceof AcmeFailure)) return error;
  const { problem, status, message, retryAfterMs } = error;
  const named = problem.type === "" ? `HTTP ${status}: ${message}` : `${problem.type}: ${message}`;
  return new IssuerError(step, named, failureClassOf(problem, status), retryAfterMs);
}

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null ? (value as JsonObject) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, mostWords) : "";
}
