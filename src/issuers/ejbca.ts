import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { readAnswer } from "./answer.ts";
import { askCa, CaRefusal, callCa } from "./ca-http.ts";
import { apiOf, chainAbove, type Enrolment, enrol, finalize, isRejected, nameOf } from "./ejbca/api.ts";
import { type EjbcaConfig, ejbcaConfig } from "./ejbca/config.ts";
import {
  defineIssuer,
  type Issued,
  type IssueRequest,
  type IssuerContext,
  IssuerError,
  type Ordered,
  type RevocationReason,
} from "./issuer.ts";
import { hasSigned, signOnce } from "./sign-once.ts";

/** A request that somebody has to approve in EJBCA. */
const requested = z.object({ request_id: z.int(), requested_at: z.number() });

/** People who are there approve within the hour; others take days. */
const soonMs = 3_600_000;
const pollMs = { soon: 60_000, later: 15 * 60_000 };

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

const authorities = z.object({
  certificate_authorities: z.array(
    z.object({ name: z.string(), subject_dn: z.string(), expiration_date: z.string() }),
  ),
});

/**
 * EJBCA by its REST interface. What has to be approved waits there under a request's number, and is finalized when somebody has
 * approved it. Otherwise it knows no orders: where its answer is lost, the next attempt has it sign again under the same user name,
 * and the first certificate is known to EJBCA alone.
 * https://docs.keyfactor.com/ejbca/latest/ejbca-rest-interface
 */
export const ejbca = defineIssuer<EjbcaConfig>({
  kind: "ejbca",
  title: "EJBCA",
  config: ejbcaConfig,
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

  async issue(request, config, context) {
    const { order, clock } = context;
    const known = requested.safeParse(await order.read()).data;
    if (known) return collect(known, request, config, context);
    return signOnce(order, async () => {
      const answer = await enrol(context, config, request);
      if ("texts" in answer) return readAnswer("enrol", answer.texts);
      const state = { request_id: answer.requestId, requested_at: clock().getTime() };
      await order.write(state);
      return waits(state, context);
    });
  },

  orderStatus: (state, request, config, context) => collect(requested.parse(state), request, config, context),

  isCommitted: (state) => hasSigned(state) || requested.safeParse(state).success,

  async revoke({ serial, issuerDer, reason }, config, tools) {
    const dn = encodeURIComponent(nameOf(new X509Certificate(issuerDer).subject));
    const path = `/v1/certificate/${dn}/${serial.toLowerCase()}/revoke`;
    const call = { step: "revoke", method: "PUT", path, query: { reason: reasons[reason] } } as const;
    try {
      const { status } = await callCa(tools, apiOf(config), call);
      if (status !== 202) return;
    } catch (error) {
      // Revoked already.
      if (error instanceof CaRefusal && error.status === 409) return;
      throw error;
    }
    throw new IssuerError("revoke", "a person has to approve the revocation in EJBCA", "Refused");
  },
});

/** Finalizes a request; it waits on while nobody has approved it. */
async function collect(
  state: z.infer<typeof requested>,
  request: IssueRequest,
  config: EjbcaConfig,
  context: IssuerContext,
): Promise<Issued | Ordered> {
  let answer: Enrolment;
  try {
    answer = await finalize(context, config, request, state.request_id);
  } catch (error) {
    // Nothing will come of it: the next attempt enrols anew.
    if (isRejected(error)) await context.order.write(null);
    throw error;
  }
  if ("requestId" in answer) return waits(state, context);
  const [leaf = ""] = answer.texts;
  return readAnswer("finalize", [leaf, ...(await chainAbove(context, config, leaf))]);
}

function waits(
  { request_id: id, requested_at: requestedAt }: z.infer<typeof requested>,
  { clock }: IssuerContext,
): Ordered {
  const isSoon = clock().getTime() - requestedAt < soonMs;
  return {
    reference: String(id),
    pollAfterMs: isSoon ? pollMs.soon : pollMs.later,
    message: `waits for somebody to approve request ${id} in EJBCA`,
  };
}
