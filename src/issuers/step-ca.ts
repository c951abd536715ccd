import { X509Certificate } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { z } from "zod";
import { readCsr } from "../x509/csr.ts";
import { pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import { askCa, CaRefusal, callCa } from "./ca-http.ts";
import {
  defineIssuer,
  type Issued,
  type IssueRequest,
  IssuerError,
  type IssuerTools,
  type RevocationReason,
} from "./issuer.ts";
import { hasSigned, signOnce } from "./sign-once.ts";
import { type StepCaConfig, stepCaConfig } from "./step-ca/config.ts";
import { connect } from "./step-ca/connection.ts";
import { findProvisioners, oneTimeToken, openKey } from "./step-ca/provisioner.ts";

const status = z.object({ status: z.string() });

/**
 * Smallstep's step-ca, by a JWK provisioner: every call carries a token that is good for it alone. It knows no orders: where its
 * answer is lost, the next attempt has it sign again. A renewal is a certificate for a new key, so `/renew` is of no use here.
 * https://smallstep.com/docs/step-ca/provisioners/#jwk
 */
export const stepCa = defineIssuer<StepCaConfig>({
  kind: "step-ca",
  title: "step-ca",
  config: stepCaConfig,
  // Which names it signs stands in its provisioner and its policy.
  refuses: () => null,
  rootPem: () => "",

  async test(config, tools) {
    const connection = await connect("test", config, tools);
    const health = await askCa(
      tools,
      connection.api,
      { step: "test", method: "GET", path: "/health" },
      status,
    );
    if (health.status !== "ok")
      throw new IssuerError("test", `the CA says of itself: ${health.status}`, "Network");
    const [known, { jwk, kid }] = await Promise.all([
      findProvisioners("test", config, connection, tools),
      openKey("test", config, connection, tools),
    ]);
    const thumbprint = await calculateJwkThumbprint(jwk);
    const own = known.find(({ key }) => key?.kid === kid || key?.kid === thumbprint);
    if (!own)
      throw new IssuerError(
        "test",
        `the key is none of the provisioner ${config.provisioner}: the CA knows it by another one`,
        "Configuration",
      );
    const { subject } = new X509Certificate(connection.rootPem);
    const most = own.claims?.maxTLSCertDuration;
    const limit = most === undefined ? "" : `, for at most ${most}`;
    return `provisioner ${config.provisioner} signs below ${subject.replaceAll("\n", ", ")}${limit}`;
  },

  issue: (request, config, context) => signOnce(context.order, () => sign(request, config, context)),

  isCommitted: hasSigned,

  async revoke({ serial, reason, now }, config, tools) {
    const connection = await connect("revoke", config, tools);
    const subject = BigInt(`0x${serial}`).toString();
    const ott = await oneTimeToken(await openKey("revoke", config, connection, tools), {
      ...config,
      audience: audience(config, "/1.0/revoke"),
      subject,
      claims: { sha: config.root_fingerprint.toLowerCase() },
      now,
    });
    const body = { serial: subject, ott, reasonCode: reasonCodes[reason], reason, passive: true };
    try {
      await callCa(tools, connection.api, { step: "revoke", method: "POST", path: "/1.0/revoke", body });
    } catch (error) {
      const isRevoked =
        error instanceof CaRefusal && error.status === 400 && /already revoked/.test(error.message);
      if (!isRevoked) throw error;
    }
  },
});

const signed = z.object({ crt: z.string(), ca: z.string(), certChain: z.array(z.string()).nullish() });

async function sign(
  { csr, sans, commonName, validitySeconds, now }: IssueRequest,
  config: StepCaConfig,
  tools: IssuerTools,
): Promise<Issued> {
  const connection = await connect("sign", config, tools);
  // The CSR's own common name, where it has one, has to be the token's subject.
  const subject = readCsr(csr).commonName || commonName || sans[0] || "";
  const ott = await oneTimeToken(await openKey("sign", config, connection, tools), {
    ...config,
    audience: audience(config, "/1.0/sign"),
    subject,
    claims: { sans, sha: config.root_fingerprint.toLowerCase() },
    now,
  });
  const body = {
    csr: pem("CERTIFICATE REQUEST", csr),
    ott,
    notAfter: new Date(now.getTime() + validitySeconds * 1_000).toISOString(),
  };
  const call = { step: "sign", method: "POST", path: "/1.0/sign", body } as const;
  const { crt, ca, certChain } = await askCa(tools, connection.api, call, signed);
  return readAnswer("sign", [crt, ca, ...(certChain ?? [])], connection.rootPem);
}

function audience({ url }: StepCaConfig, path: string): string {
  return new URL(path, url).href;
}

/** RFC 5280, 5.3.1. */
const reasonCodes: Record<RevocationReason, number> = {
  Unspecified: 0,
  KeyCompromise: 1,
  CaCompromise: 2,
  AffiliationChanged: 3,
  Superseded: 4,
  CessationOfOperation: 5,
  PrivilegeWithdrawn: 9,
};
