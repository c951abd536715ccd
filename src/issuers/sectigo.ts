import { z } from "zod";
import { parseSan } from "../x509/names.ts";
import { readAnswer } from "./answer.ts";
import { CaRefusal, callCa, isFinal } from "./ca-http.ts";
import {
  defineIssuer,
  type Issued,
  type IssuerContext,
  IssuerError,
  type Ordered,
  type RevocationReason,
} from "./issuer.ts";
import {
  apiOf,
  codeOf,
  collectChain,
  deadStatuses,
  findRequest,
  missingFields,
  placeRequest,
  readDetails,
  readProfile,
} from "./sectigo/api.ts";
import { type SectigoConfig, sectigoConfig } from "./sectigo/config.ts";

/** A request that Sectigo may have taken; `ssl_id` once it said so. */
const orderState = z.object({ placed_at: z.number(), ssl_id: z.int().optional() });

const soonMs = 10 * 60_000;
const pollMs = { soon: 30_000, later: 10 * 60_000 };

/** Refusals to hand a certificate over that is not made yet: not collected, not available now, not collectable, in process. */
const notYet = [0, -103, -109, -183, -1400];
const alreadyRevoked = -159;

/**
 * Sectigo Certificate Manager. A request bears the key's id in its comments, by which one whose answer was lost is found again; it
 * may wait for validation or approval for days.
 */
export const sectigo = defineIssuer({
  kind: "sectigo",
  title: "Sectigo Certificate Manager",
  config: sectigoConfig,

  refuses({ sans, validitySeconds }) {
    const odd = sans.find((san) => !["dns", "ip"].includes(parseSan(san).type));
    if (odd !== undefined) return { field: "sans", description: `Sectigo has no place for ${odd}` };
    if (validitySeconds < 86_400)
      return { field: "validity_seconds", description: "Sectigo counts in whole days: at least 86400" };
    return null;
  },

  rootPem: () => "",

  async test(config, tools) {
    const { name, terms } = await requireProfile("test", config, tools);
    const missing = await missingFields(tools, apiOf(config), config);
    if (missing.length > 0)
      throw new IssuerError(
        "test",
        `the account demands custom fields: ${missing.join(", ")}`,
        "Configuration",
      );
    return `profile ${name} signs for ${terms.join(", ")} days in organization ${config.organization_id}`;
  },

  async issue(request, config, context) {
    const { order, clock } = context;
    const known = orderState.safeParse(await order.read()).data;
    if (known?.ssl_id !== undefined) return collect(known.placed_at, known.ssl_id, config, context);
    const api = apiOf(config);
    // Asked before anything is ordered: a CA that cannot be reached has not taken the order.
    const profile = await requireProfile("order", config, context);
    const term = termOf(profile, request.validitySeconds);
    const placedAt = known?.placed_at ?? clock().getTime();
    let id = known ? await findRequest(context, api, config, request) : null;
    if (id === null) {
      await order.write({ placed_at: placedAt });
      id = await placeRequest(context, api, config, { request, term }).catch(async (error: unknown) => {
        if (isFinal(error)) await order.write(null);
        throw error;
      });
    }
    await order.write({ placed_at: placedAt, ssl_id: id });
    return collect(placedAt, id, config, context);
  },

  orderStatus(state, request, config, context) {
    const { placed_at: placedAt, ssl_id: id } = orderState.parse(state);
    if (id === undefined) throw new Error(`the order for ${request.keyId} waits without an id`);
    return collect(placedAt, id, config, context);
  },

  isCommitted: () => true,

  async revoke({ serial, reason }, config, tools) {
    const path = `/ssl/v1/revoke/serial/${pairs(serial)}`;
    const body = { reasonCode: reasonCodes[reason], reason: `certctl: ${reason}` };
    try {
      await callCa(tools, apiOf(config), { step: "revoke", method: "POST", path, body });
    } catch (error) {
      if (!(error instanceof CaRefusal && codeOf(error.body) === alreadyRevoked)) throw error;
    }
  },
});

async function collect(
  placedAt: number,
  id: number,
  config: SectigoConfig,
  context: IssuerContext,
): Promise<Issued | Ordered> {
  const api = apiOf(config);
  const { status } = await readDetails(context, api, id);
  if (deadStatuses.includes(status)) {
    await context.order.write(null);
    throw new IssuerError("order", `Sectigo's request ${id} is ${status}`, "Refused");
  }
  if (status === "Issued") {
    try {
      return readAnswer("collect", await collectChain(context, api, id));
    } catch (error) {
      if (!(error instanceof CaRefusal && notYet.includes(codeOf(error.body) ?? 1))) throw error;
    }
  }
  const isSoon = context.clock().getTime() - placedAt < soonMs;
  return {
    reference: String(id),
    pollAfterMs: isSoon ? pollMs.soon : pollMs.later,
    message:
      status === "Requested"
        ? "waits for the approval of an administrator at Sectigo"
        : `is ${status} at Sectigo`,
  };
}

async function requireProfile(step: string, config: SectigoConfig, tools: Parameters<typeof readProfile>[0]) {
  const profile = await readProfile(tools, apiOf(config), step, config);
  if (profile) return profile;
  const { certificate_profile_id: id, organization_id: organization } = config;
  throw new IssuerError(
    step,
    `organization ${organization} has no certificate profile ${id}`,
    "Configuration",
  );
}

/** The longest of a profile's terms that is not longer than what is wanted. */
function termOf({ name, terms }: { name: string; terms: number[] }, validitySeconds: number): number {
  const days = Math.floor(validitySeconds / 86_400);
  const fitting = terms.filter((term) => term <= days);
  if (fitting.length > 0) return Math.max(...fitting);
  throw new IssuerError(
    "order",
    `profile ${name} signs for ${terms.join(", ")} days, the certificate is to have ${days}: change its validity_seconds`,
    "Configuration",
  );
}

/** "0A:FF", as SCM shows it. */
function pairs(serial: string): string {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  return (even.match(/../g) ?? []).join(":");
}

/** Those that a subscriber may give for public certificates (Mozilla Root Store Policy, 6.1.1); Sectigo takes no others. */
const reasonCodes: Record<RevocationReason, number> = {
  Unspecified: 0,
  KeyCompromise: 1,
  CaCompromise: 0,
  AffiliationChanged: 3,
  Superseded: 4,
  CessationOfOperation: 5,
  PrivilegeWithdrawn: 0,
};
