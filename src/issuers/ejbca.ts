import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import type { ClientCertificate } from "../platform/egress.ts";
import { pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import { askCa, type CaApi, CaRefusal, callCa } from "./ca-http.ts";
import { caCertificates } from "./config-fields.ts";
import { defineIssuer, IssuerError, type RevocationReason } from "./issuer.ts";
import { hasSigned, signOnce } from "./sign-once.ts";

const name = (description: string) => z.string().min(1).max(256).meta({ description });
const secret = z.string().min(1).max(16_384);

const config = z.strictObject({
  url: webUrl("https").meta({
    destination: true,
    description: "Where the REST interface answers: https://ejbca.example/ejbca/ejbca-rest-api",
  }),
  ca,
  certificate_authority: name("The name of the CA that signs, as EJBCA has it"),
  certificate_profile: name("The certificate profile; it decides the lifetime"),
  end_entity_profile: name("The end entity profile; it decides which names may be asked for"),
  user_prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "has to be letters, digits, dots, dashes and underscores")
    .default("certctl-")
    .meta({ description: "In front of the user name that each key gets in EJBCA" }),
  auth: z
    .discriminatedUnion("method", [
      z
        .strictObject({
          method: z.literal("certificate"),
          certificate: caCertificates("The client certificate of a role that may enrol, PEM"),
          private_key: secret.meta({ secret: true, description: "Of the client certificate, PEM" }),
        })
        .meta({ title: "Client certificate" }),
      z
        .strictObject({
          method: z.literal("bearer"),
          token: secret.meta({
            secret: true,
            description: "An OAuth access token; is not renewed by certctl",
          }),
        })
        .meta({ title: "OAuth token" }),
    ])
    .meta({ description: "How certctl is known to EJBCA" }),
});
type Config = z.infer<typeof config>;

/** As EJBCA names them. */
const reasons: Record<RevocationReason, string> = {
  Unspecified: "UNSPECIFIED",
  KeyCompromise: "KEY_COMPROMISE",
  CaCompromise: "CA_COMPROMISE",
  AffiliationChanged: "AFFILIATION_CHANGED",
  Superseded: "SUPERSEDED",
  CessationOfOperation: "CESSATION_OF_OPERATION",
  PrivilegeWithdrawn: "PRIVILEGES_WITHDRAWN",
};

const enrolled = z.object({
  certificate: z.string(),
  response_format: z.literal("DER"),
  certificate_chain: z.array(z.string()).default([]),
});
const authorities = z.object({
  certificate_authorities: z.array(
    z.object({ name: z.string(), subject_dn: z.string(), expiration_date: z.string() }),
  ),
});

/**
 * EJBCA by its REST interface. It knows no orders: where its answer is lost, the next attempt has it sign again under the same
 * user name, and the first certificate is known to EJBCA alone.
 * https://docs.keyfactor.com/ejbca/latest/ejbca-rest-interface
 */
export const ejbca = defineIssuer<Config>({
  kind: "ejbca",
  title: "EJBCA",
  config,
  // Which names it signs stands in its profiles.
  refuses: () => null,
  rootPem: () => "",

  async test(config, tools) {
    const call = { step: "test", method: "GET", path: "/v1/ca" } as const;
    const { certificate_authorities: known } = await askCa(tools, apiOf(config), call, authorities);
    const authority = known.find(({ name }) => name === config.certificate_authority);
    if (!authority)
      throw new IssuerError(
        "test",
        `there is no CA ${config.certificate_authority} that this role may use; there are ${known.map(({ name }) => name).join(", ") || "none"}`,
        "Configuration",
      );
    const until = new Date(authority.expiration_date);
    if (until <= tools.clock())
      throw new IssuerError(
        "test",
        `the CA ${authority.name} ended at ${until.toISOString()}`,
        "Configuration",
      );
    return `${authority.name} (${authority.subject_dn}) signs until ${until.toISOString()}; whether the profiles let it, only an enrolment tells`;
  },

  issue: (request, config, context) =>
    signOnce(context.order, async () => {
      const call = {
        step: "enrol",
        method: "POST",
        path: "/v1/certificate/pkcs10enroll",
        body: {
          certificate_request: pem("CERTIFICATE REQUEST", request.csr),
          certificate_authority_name: config.certificate_authority,
          certificate_profile_name: config.certificate_profile,
          end_entity_profile_name: config.end_entity_profile,
          username: `${config.user_prefix}${request.keyId}`,
          // EJBCA asks for one; the enrolment is over when it answers, and nothing else can be done with it.
          password: request.keyId,
          include_chain: true,
        },
      } as const;
      const api = apiOf(config);
      const answer = await callCa(context, api, call);
      if (answer.status === 202)
        throw new IssuerError(
          "enrol",
          "EJBCA wants the enrolment approved by a person; name profiles that need no approval",
          "Configuration",
        );
      const read = enrolled.safeParse(parse(answer.body));
      if (!read.success)
        throw new IssuerError("enrol", "EJBCA answered in a form that is not known", "Refused");
      const { certificate, certificate_chain: chain } = read.data;
      return readAnswer("enrol", [certificate, ...chain].map(asPem));
    }),

  isCommitted: hasSigned,

  async revoke({ serial, issuerDer, reason }, config, tools) {
    const dn = encodeURIComponent(nameOf(issuerDer));
    const path = `/v1/certificate/${dn}/${serial.toLowerCase()}/revoke`;
    const call = { step: "revoke", method: "PUT", path, query: { reason: reasons[reason] } } as const;
    try {
      await callCa(tools, apiOf(config), call);
    } catch (error) {
      // Revoked already.
      if (!(error instanceof CaRefusal && error.status === 409)) throw error;
    }
  },
});

function apiOf({ url, ca: trusted, auth }: Config): CaApi {
  const api = { url, ca: trusted, words };
  if (auth.method === "bearer") return { ...api, headers: { authorization: `Bearer ${auth.token}` } };
  const client: ClientCertificate = { cert: auth.certificate, key: auth.private_key };
  return { ...api, client };
}

function words(body: unknown): string | undefined {
  return z.object({ error_message: z.string() }).safeParse(body).data?.error_message;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function asPem(base64: string): string {
  return pem("CERTIFICATE", Buffer.from(base64, "base64"));
}

/** "CN=Issuing CA,O=Example": the most specific part in front, as EJBCA writes names. */
function nameOf(der: Buffer): string {
  return new X509Certificate(der).subject.split("\n").reverse().join(",");
}
