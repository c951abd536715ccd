import type { JsonObject } from "@bufbuild/protobuf";
import type { z } from "zod";
import type { Authority } from "../authorities/authority.ts";
import type { IssuingAuthorities } from "../authorities/issuing.ts";
import type { Egress } from "../platform/egress.ts";
import type { FailureClass } from "../platform/failure.ts";
import type { AccountDescription, IssuerAccount } from "./account.ts";
import type { Budget, OrderBudget } from "./budget.ts";
import type { ServerCommands } from "./commands.ts";
import type { OrderDescription } from "./order-description.ts";

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
  /** The newest version of this issuer that the new one follows; null: it is the first. */
  replaces: SignedCertificate | null;
}

/** A certificate and the one that signed it, DER. */
export interface SignedCertificate {
  leafDer: Buffer;
  issuerDer: Buffer;
}

/** What an issuer signed. */
export interface Issued {
  /** The one of certctl's own CAs that signed; null: another's CA. */
  authorityId: string | null;
  leafDer: Buffer;
  /** Intermediates, leaf's issuer first, PEM. */
  chainPem: string[];
  /** What the chain builds to, PEM; empty where the CA does not tell: then the last of the chain is the anchor. */
  rootPem: string;
}

/** The CA took the order and signs later. Its reference lies in the order's state already. */
export interface Ordered {
  /** The CA's name for the order. */
  reference: string;
  /** When to ask again. */
  pollAfterMs: number;
  /** What the order waits for, in the CA's words. */
  message: string;
}

/**
 * What an issuer remembers of the order for one key. Only one process works on an order at a time; a write is committed when it
 * returns.
 */
export interface Order {
  read(): Promise<JsonObject | null>;
  /** Null forgets the order: the next attempt places another. */
  write(state: JsonObject | null): Promise<void>;
}

/** What is about to be signed, committed before it is. */
export interface RecordedIssuance {
  authorityId: string;
  /** TBSCertificate, DER. */
  tbs: Buffer;
}

/** What certctl lends to an issuer for whatever it does. */
export interface IssuerTools {
  signal: AbortSignal;
  clock: () => Date;
  /** The only way to other machines. */
  egress: Egress;
  commands: ServerCommands;
  /** The issuer's row; empty for a configuration that is not saved. */
  issuerId: string;
  /** certctl's own CAs. */
  issuing: IssuingAuthorities;
  account: IssuerAccount;
}

/** What a CA wants to see for a name, by RFC 8555 and RFC 8737. */
export interface Challenge {
  type: "http-01" | "dns-01" | "tls-alpn-01";
  /** A DNS name without "*.", or an IP address. */
  identifier: string;
  token: string;
  keyAuthorization: string;
}

/** One that is kept until it was taken away. */
export interface KeptChallenge extends Challenge {
  id: string;
  /** The agent that makes the certificate's key. */
  agentId: string;
}

/** The challenges of one job. */
export interface Challenges {
  /** Commits one before it is published; from then on the control plane answers an http-01 challenge by itself. */
  keep(challenge: Challenge): Promise<KeptChallenge>;
  kept(): Promise<KeptChallenge[]>;
  /** It is published no more. */
  forget(id: string): Promise<void>;
}

/** What it lends for challenges. */
export interface ChallengeTools extends IssuerTools {
  /** Has a challenge's agent publish it on its host, or take it away. Throws IssuerError with what the agent says. */
  askAgent(what: "publish" | "clear", challenge: KeptChallenge): Promise<void>;
}

/** What it lends for an issuance. */
export interface IssuerContext extends ChallengeTools {
  jobId: string;
  order: Order;
  budget: OrderBudget;
  challenges: Challenges;
  /** Adds a step to the job's timeline. */
  progress(step: string, message: string): Promise<void>;
  /** Commits what will be signed; for a key that has a record already, returns that one and ignores the new. */
  record(keyId: string, next: RecordedIssuance & { serial: string }): Promise<RecordedIssuance>;
}

/** Why a certificate is revoked, in the words of RFC 5280, 5.3.1. */
export const revocationReasons = [
  "Unspecified",
  "KeyCompromise",
  "CaCompromise",
  "AffiliationChanged",
  "Superseded",
  "CessationOfOperation",
  "PrivilegeWithdrawn",
] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** What is to be revoked. */
export interface RevokeRequest extends SignedCertificate {
  /** Upper-case hexadecimal. */
  serial: string;
  reason: RevocationReason;
  authorityId: string | null;
  now: Date;
}

/** What a certificate is to be, as far as an issuer may refuse it. */
export interface WantedCertificate {
  /** Canonical. */
  sans: readonly string[];
  keyAlgorithm: string;
  validitySeconds: number;
}

/** Why an issuer will not sign it, and which field has to change. */
export interface Refusal {
  field: "sans" | "key_algorithm" | "validity_seconds" | "issuer_id";
  description: string;
}

/** What an issuer may have to know to refuse. */
export interface RefusalContext {
  trustDomain: string;
  ownNames: readonly string[];
  /** The one of certctl's own CAs that signs for the issuer; null: none does. */
  signingCa: Authority | null;
  /** Where CRLs and OCSP answers of certctl's own CAs are served; null: nowhere. */
  pkiUrl: string | null;
}

/** The time in which a CA wants a certificate renewed. */
export interface RenewalInformation {
  start: Date;
  end: Date;
  /** For people; empty: the CA has nothing to say. */
  explanationUrl: string;
  /** When to ask again; null: it did not say. */
  retryAfterMs: number | null;
}

/** What may be done with an issuer's account at its CA. */
export interface Accounts<Config = unknown> {
  /** As it is remembered; null: none is registered. */
  describe(tools: IssuerTools): Promise<AccountDescription | null>;
  /** Has the CA know the account by a new key. Again after a crash at any point it goes on from there. Throws IssuerError. */
  changeKey(config: Config, tools: IssuerTools): Promise<void>;
  /** Has the CA close the account for good, and forgets it. Throws IssuerError. */
  deactivate(config: Config, tools: IssuerTools): Promise<void>;
}

/** A certificate authority that certctl can ask. One file per kind; see local-ca.ts. */
export interface Issuer<Config = unknown> {
  /** Stable: stored in the database, shown in the API. */
  readonly kind: string;
  readonly title: string;
  readonly config: z.ZodType<Config>;
  /** Issuing for a key again makes the same certificate: no order is kept, and nothing is asked of another machine. */
  readonly isRepeatable?: boolean;
  /** Says why a certificate cannot be issued, or null. Asked before it is declared. Secrets in the configuration are masked. */
  refuses(wanted: WantedCertificate, config: Config, context: RefusalContext): Refusal | null;
  /** What its certificates build to, PEM; `signingCa` is the one of certctl's own CAs that signs for it. Empty where only an issued certificate tells. Secrets are masked. */
  rootPem(config: Config, context: { signingCa: Authority | null }): string;
  /** Asks the CA whether it would sign, without having anything signed; says so in a sentence. Throws IssuerError. */
  test(config: Config, tools: IssuerTools): Promise<string>;
  /** Orders a certificate, or goes on with the order that was begun. Throws IssuerError. */
  issue(request: IssueRequest, config: Config, context: IssuerContext): Promise<Issued | Ordered>;
  /** Asks for an order that `issue` had to leave waiting, by the state that it wrote. Throws IssuerError. */
  orderStatus?(
    state: JsonObject,
    request: IssueRequest,
    config: Config,
    context: IssuerContext,
  ): Promise<Issued | Ordered>;
  /**
   * Whether the CA may have signed by this state of an order, or still will: then no other CA is asked for
   * the key. An issuer without it may have signed whatever it left waiting.
   */
  isCommitted?(state: JsonObject): boolean;
  /** What was placed at the CA by this state of an order, oldest first, as people are told of it. */
  describeOrders?(state: JsonObject): OrderDescription[];
  /** Has a certificate revoked; one that is revoked already is fine. Throws IssuerError. */
  revoke?(request: RevokeRequest, config: Config, tools: IssuerTools): Promise<void>;
  /** When the CA wants a certificate renewed (RFC 9773); null: this one does not say. Throws IssuerError. */
  renewalInfo?(
    certificate: SignedCertificate,
    config: Config,
    tools: IssuerTools,
  ): Promise<RenewalInformation | null>;
  /** How much of the CA's rate limits may be used. */
  budget?(config: Config): Budget;
  /** The account at the CA, by whose key it knows us. */
  accounts?: Accounts<Config>;
  /** Takes away a challenge that was left behind. Throws IssuerError. */
  clearChallenge?(challenge: KeptChallenge, config: Config, tools: ChallengeTools): Promise<void>;
}

/** Infers the configuration's type from its schema, then hides it: callers hold JSON only. */
export function defineIssuer<Config>(issuer: Issuer<Config>): Issuer {
  const { accounts, orderStatus, revoke, renewalInfo, budget, clearChallenge, ...always } = issuer;
  const read = (config: unknown) => issuer.config.parse(config);
  return {
    ...always,
    refuses: (wanted, config, context) => issuer.refuses(wanted, read(config), context),
    rootPem: (config, context) => issuer.rootPem(read(config), context),
    test: async (config, tools) => issuer.test(read(config), tools),
    issue: async (request, config, context) => issuer.issue(request, read(config), context),
    ...(orderStatus && {
      orderStatus: async (state, request, config, context) =>
        orderStatus(state, request, read(config), context),
    }),
    ...(revoke && { revoke: async (request, config, tools) => revoke(request, read(config), tools) }),
    ...(renewalInfo && {
      renewalInfo: async (certificate, config, tools) => renewalInfo(certificate, read(config), tools),
    }),
    ...(budget && { budget: (config) => budget(read(config)) }),
    ...(accounts && {
      accounts: {
        ...accounts,
        changeKey: async (config, tools) => accounts.changeKey(read(config), tools),
        deactivate: async (config, tools) => accounts.deactivate(read(config), tools),
      },
    }),
    ...(clearChallenge && {
      clearChallenge: async (challenge, config, tools) => clearChallenge(challenge, read(config), tools),
    }),
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
