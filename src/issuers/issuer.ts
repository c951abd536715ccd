import type { z } from "zod";
import type { Authority } from "../authorities/authority.ts";
import type { FailureClass } from "../platform/failure.ts";

/** A certificate to be signed: the names and the key were checked against each other already. */
export interface IssueRequest {
  /** Names the key. At most one certificate is made for a key, however often it is asked for. */
  keyId: string;
  commonName: string;
  /** Canonical. */
  sans: readonly string[];
  /** The accepted CSR, DER. */
  csr: Buffer;
  validitySeconds: number;
  now: Date;
}

/** What an issuer signed. */
export interface Issued {
  /** The CA key that signed, for the identity (issuer key, serial). */
  authorityId: string;
  leafDer: Buffer;
  /** Intermediates, leaf's issuer first, PEM. */
  chainPem: string[];
  /** What the chain builds to, PEM. */
  rootPem: string;
}

/** What is about to be signed, committed before it is. */
export interface RecordedIssuance {
  authorityId: string;
  /** TBSCertificate, DER. */
  tbs: Buffer;
}

/** What certctl lends to an issuer. */
export interface IssuerContext {
  signal: AbortSignal;
  /** Opens the CA that signs customers' certificates. */
  issuingCa: Authority;
  /** Commits what will be signed; for a key that has a record already, returns that one and ignores the new. */
  record(keyId: string, next: RecordedIssuance & { serial: string }): Promise<RecordedIssuance>;
}

/** What certctl lends to the test of an issuer. */
export interface IssuerTestContext {
  signal: AbortSignal;
  issuingCa: Authority;
  now: Date;
}

/** A certificate authority that certctl can ask. One file per kind; see local-ca.ts. */
export interface Issuer<Config = unknown> {
  /** Stable: stored in the database, shown in the API. */
  readonly kind: string;
  readonly title: string;
  readonly config: z.ZodType<Config>;
  /** Says why names cannot be issued, or null. Asked before a certificate is declared. */
  refuses(
    sans: readonly string[],
    context: { trustDomain: string; ownNames: readonly string[] },
  ): string | null;
  /** What its certificates build to, PEM; empty where only an issued certificate tells. */
  rootPem(context: { issuingCa: Authority }): string;
  /** Asks the CA whether it would sign, without having anything signed; says so in a sentence. Throws IssuerError. */
  test(config: Config, context: IssuerTestContext): Promise<string>;
  /** Throws IssuerError. */
  issue(request: IssueRequest, config: Config, context: IssuerContext): Promise<Issued>;
}

/** Infers the configuration's type from its schema, then hides it: callers hold JSON only. */
export function defineIssuer<Config>(issuer: Issuer<Config>): Issuer {
  return {
    ...issuer,
    test: (config, context) => issuer.test(issuer.config.parse(config), context),
    issue: (request, config, context) => issuer.issue(request, issuer.config.parse(config), context),
  };
}

/** An issuance that failed; the message is in the CA's words. The class decides when it is tried again. */
export class IssuerError extends Error {
  readonly step: string;
  readonly failureClass: FailureClass;
  /** How long the CA asks to wait, if it does. */
  readonly retryAfterMs: number | null;

  constructor(step: string, message: string, failureClass: FailureClass, retryAfterMs: number | null = null) {
    super(message);
    this.step = step;
    this.failureClass = failureClass;
    this.retryAfterMs = retryAfterMs;
  }
}
