import { z } from "zod";
import { parseSan } from "../x509/names.ts";
import { readAnswer } from "./answer.ts";
import { askCa, callCa, isFinal } from "./ca-http.ts";
import { apiOf, deadStatuses, downloadChain, findOrder, placeOrder, readOrder } from "./digicert/api.ts";
import { type DigicertConfig, digicertConfig } from "./digicert/config.ts";
import {
  defineIssuer,
  type Issued,
  type IssuerContext,
  IssuerError,
  type Ordered,
  type RevocationReason,
} from "./issuer.ts";

/** An order that DigiCert may have taken; `order_id` once it said so. */
const orderState = z.object({ placed_at: z.number(), order_id: z.int().optional() });

/** DigiCert validates what it has seen before within minutes; people take hours. */
const soonMs = 10 * 60_000;
const pollMs = { soon: 30_000, later: 10 * 60_000 };

/**
 * DigiCert CertCentral. Orders bear the key's id as their alternative order id, by which one whose answer was lost is found again;
 * they may wait for validation or approval for days.
 * https://dev.digicert.com/certcentral-apis/services-api.html
 */
export const digicert = defineIssuer({
  kind: "digicert",
  title: "DigiCert CertCentral",
  config: digicertConfig,

  refuses({ sans, validitySeconds }, { product }) {
    const allowed = product.startsWith("private_ssl") ? ["dns", "ip"] : ["dns"];
    const odd = sans.find((san) => !allowed.includes(parseSan(san).type));
    if (odd !== undefined)
      return { field: "sans", description: `DigiCert's ${product} has no place for ${odd}` };
    if (validitySeconds < 86_400)
      return { field: "validity_seconds", description: "DigiCert counts in whole days: at least 86400" };
    return null;
  },

  rootPem: () => "",

  async test(config, tools) {
    const api = apiOf(config);
    const user = await askCa(tools, api, { step: "test", method: "GET", path: "/user/me" }, me);
    const { products } = await askCa(
      tools,
      api,
      { step: "test", method: "GET", path: "/product" },
      catalogue,
    );
    const product = products.find(({ name_id: id }) => id === config.product);
    if (!product)
      throw new IssuerError("test", `the account has no product ${config.product}`, "Configuration");
    const roles = user.access_roles.map(({ name }) => name).join(", ");
    return `${user.username} (${roles}) of account ${user.account.id} may order ${product.name}`;
  },

  async issue(request, config, context) {
    const { order, clock } = context;
    const known = orderState.safeParse(await order.read()).data;
    if (known?.order_id !== undefined) return collect(known.placed_at, known.order_id, config, context);
    const api = apiOf(config);
    const placedAt = known?.placed_at ?? clock().getTime();
    let id = await findOrder(context, api, request.keyId);
    if (id === null) {
      await order.write({ placed_at: placedAt });
      id = await placeOrder(context, api, config, request).catch(async (error: unknown) => {
        if (isFinal(error)) await order.write(null);
        throw error;
      });
    }
    await order.write({ placed_at: placedAt, order_id: id });
    return collect(placedAt, id, config, context);
  },

  orderStatus(state, request, config, context) {
    const { placed_at: placedAt, order_id: id } = orderState.parse(state);
    if (id === undefined) throw new Error(`the order for ${request.keyId} waits without an id`);
    return collect(placedAt, id, config, context);
  },

  isCommitted: () => true,

  async revoke({ serial, reason }, config, tools) {
    const api = apiOf(config);
    const path = `/certificate/${serial}/revoke`;
    const body = {
      revocation_reason: reasons[reason],
      skip_approval: config.skip_approval,
      comments: `certctl: ${reason}`,
    };
    try {
      const { status } = await callCa(tools, api, { step: "revoke", method: "PUT", path, body });
      if (status === 204) return;
    } catch (error) {
      if (!(error instanceof IssuerError) || error.failureClass !== "Refused") throw error;
      const { status, certificate } = await readOrder(tools, api, "revoke", serial);
      if (status === "revoked" || certificate.status === "revoked") return;
      throw error;
    }
    throw new IssuerError(
      "revoke",
      "an administrator of the CertCentral account has to approve it",
      "Refused",
    );
  },
});

const me = z.object({
  username: z.string(),
  account: z.object({ id: z.int() }),
  access_roles: z.array(z.object({ name: z.string() })).default([]),
});
const catalogue = z.object({ products: z.array(z.object({ name_id: z.string(), name: z.string() })) });

async function collect(
  placedAt: number,
  id: number,
  config: DigicertConfig,
  context: IssuerContext,
): Promise<Issued | Ordered> {
  const api = apiOf(config);
  const { status, certificate } = await readOrder(context, api, "order", id);
  if (status === "issued" && certificate.id !== undefined)
    return readAnswer("download", await downloadChain(context, api, certificate.id));
  if (deadStatuses.includes(status)) {
    await context.order.write(null);
    throw new IssuerError("order", `DigiCert's order ${id} is ${status}`, "Refused");
  }
  const isSoon = context.clock().getTime() - placedAt < soonMs;
  return {
    reference: String(id),
    pollAfterMs: isSoon ? pollMs.soon : pollMs.later,
    message: waits[status] ?? `is ${status} at DigiCert`,
  };
}

const waits: Record<string, string | undefined> = {
  needs_approval: "waits for the approval of an administrator of the CertCentral account",
  pending: "waits for DigiCert to validate its domains or its organization",
};

/** Those that a subscriber may give for public certificates; DigiCert takes no others. */
const reasons: Record<RevocationReason, string> = {
  Unspecified: "unspecified",
  KeyCompromise: "keyCompromise",
  CaCompromise: "unspecified",
  AffiliationChanged: "affiliationChanged",
  Superseded: "superseded",
  CessationOfOperation: "cessationOfOperation",
  PrivilegeWithdrawn: "unspecified",
};
