import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { readCsr } from "../x509/csr.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import { askCa, type CaApi, CaRefusal, callCa, isFinal } from "./ca-http.ts";
import { openApi, poolOf } from "./google-cas/api.ts";
import { type GoogleCasConfig, googleCasConfig } from "./google-cas/config.ts";
import {
  defineIssuer,
  type IssueRequest,
  IssuerError,
  type IssuerTools,
  type RevocationReason,
} from "./issuer.ts";

const certificate = z.object({
  pemCertificate: z.string(),
  pemCertificateChain: z.array(z.string()).default([]),
  revocationDetails: z.object({ revocationState: z.string() }).optional(),
});
type Certificate = z.infer<typeof certificate>;

/** What it takes to sign, to find an order again, and to revoke. */
const permissions = [
  "privateca.certificates.create",
  "privateca.certificates.get",
  "privateca.certificates.update",
];

/**
 * Google Cloud Certificate Authority Service. A certificate is a resource of its pool, named for its key: asked for again, it is
 * the one that was made. Pools of the DevOps tier keep no certificates: there a request id holds for an hour instead, and nothing
 * can be revoked.
 * https://cloud.google.com/certificate-authority-service/docs/reference/rest/v1/projects.locations.caPools.certificates
 */
export const googleCas = defineIssuer({
  kind: "google-cas",
  title: "Google Cloud CA Service",
  config: googleCasConfig,
  // What it signs is up to the policy of the pool and the template.
  refuses: () => null,
  rootPem: () => "",

  async test(config, tools) {
    const api = await openApi("test", config, tools);
    const pool = poolOf(config);
    const get = { step: "test", method: "GET", path: `/${pool}` } as const;
    const { tier } = await askCa(tools, api, get, z.object({ tier: z.string() }));
    const ask = {
      step: "test",
      method: "POST",
      path: `/${pool}:testIamPermissions`,
      body: { permissions },
    } as const;
    const granted = await askCa(tools, api, ask, z.object({ permissions: z.array(z.string()).default([]) }));
    const lacking = permissions.filter((permission) => !granted.permissions.includes(permission));
    if (lacking.length > 0)
      throw new IssuerError("test", `the service account lacks ${lacking.join(", ")}`, "Configuration");
    const anchors = await anchorsOf(api, pool, tools);
    if (anchors.length === 0)
      throw new IssuerError("test", `pool ${config.ca_pool} has no CA`, "Configuration");
    const end = new Date(Math.min(...anchors.map(({ validTo }) => Date.parse(validTo)))).toISOString();
    const note = tier === "DEVOPS" ? "; what this tier signs cannot be revoked" : "";
    return `pool ${config.ca_pool} (${tier}) has ${anchors.length} CA, the first ends at ${end}${note}`;
  },

  async issue(request, config, context) {
    const { order } = context;
    const api = await openApi("order", config, context);
    const known = await order.read();
    const id = certificateId(readCsr(request.csr).spki);
    if (known === null) await order.write({ certificate_id: id });
    try {
      return answerOf(await create(api, id, request, config, context));
    } catch (error) {
      const isThere = error instanceof CaRefusal && error.status === 409;
      if (isThere) return answerOf(await find(api, "order", id, config, context));
      if (known === null && isFinal(error)) await order.write(null);
      throw error;
    }
  },

  isCommitted: () => true,

  async revoke({ leafDer, reason }, config, tools) {
    const api = await openApi("revoke", config, tools);
    const id = certificateId(spkiOf(new X509Certificate(leafDer).publicKey));
    const path = `/${poolOf(config)}/certificates/${id}:revoke`;
    const body = { reason: reasons[reason], requestId: uuidOf(`revoke ${id}`) };
    try {
      await callCa(tools, api, { step: "revoke", method: "POST", path, body });
    } catch (error) {
      if (!(error instanceof CaRefusal)) throw error;
      if (error.status === 404)
        throw new IssuerError(
          "revoke",
          `pool ${config.ca_pool} keeps no certificate ${id}; one of the DevOps tier cannot revoke`,
          "Refused",
        );
      if (error.failureClass !== "Refused") throw error;
      const { revocationDetails } = await find(api, "revoke", id, config, tools);
      if (!revocationDetails) throw error;
    }
  },
});

function create(
  api: CaApi,
  id: string,
  { csr, validitySeconds }: IssueRequest,
  config: GoogleCasConfig,
  tools: IssuerTools,
): Promise<Certificate> {
  const { certificate_authority: authority, certificate_template: template } = config;
  const call = {
    step: "order",
    method: "POST",
    path: `/${poolOf(config)}/certificates`,
    query: {
      certificateId: id,
      requestId: uuidOf(`create ${id}`),
      ...(authority === undefined ? {} : { issuingCertificateAuthorityId: authority }),
    },
    body: {
      pemCsr: pem("CERTIFICATE REQUEST", csr),
      lifetime: `${validitySeconds}s`,
      ...(template === undefined ? {} : { certificateTemplate: template }),
    },
  } as const;
  return askCa(tools, api, call, certificate);
}

function find(
  api: CaApi,
  step: string,
  id: string,
  config: GoogleCasConfig,
  tools: IssuerTools,
): Promise<Certificate> {
  const path = `/${poolOf(config)}/certificates/${id}`;
  return askCa(tools, api, { step, method: "GET", path }, certificate);
}

function answerOf({ pemCertificate: leaf, pemCertificateChain: chain }: Certificate) {
  return readAnswer("order", [leaf, ...chain]);
}

/** The CAs of a pool that sign, or may again. */
async function anchorsOf(api: CaApi, pool: string, tools: IssuerTools): Promise<X509Certificate[]> {
  const path = `/${pool}:fetchCaCerts`;
  const schema = z.object({ caCerts: z.array(z.object({ certificates: z.array(z.string()) })).default([]) });
  const { caCerts } = await askCa(tools, api, { step: "test", method: "POST", path, body: {} }, schema);
  return caCerts.flatMap(({ certificates: [issuer] }) =>
    issuer === undefined ? [] : [new X509Certificate(issuer)],
  );
}

/** A key has one certificate, so its hash names it: in an order and, from the certificate alone, in a revocation. */
function certificateId(spki: Buffer): string {
  return `certctl-${sha256(spki).toString("hex").slice(0, 40)}`;
}

/** A UUID that is the same for the same text (RFC 9562, 5.8). */
function uuidOf(text: string): string {
  const octets = sha256(Buffer.from(text)).subarray(0, 16);
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x80;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  return octets.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const reasons: Record<RevocationReason, string> = {
  Unspecified: "REVOCATION_REASON_UNSPECIFIED",
  KeyCompromise: "KEY_COMPROMISE",
  CaCompromise: "CERTIFICATE_AUTHORITY_COMPROMISE",
  AffiliationChanged: "AFFILIATION_CHANGED",
  Superseded: "SUPERSEDED",
  CessationOfOperation: "CESSATION_OF_OPERATION",
  PrivilegeWithdrawn: "PRIVILEGE_WITHDRAWN",
};
