import { isIP } from "node:net";
import type { Order as CaOrder } from "acme-client";
import { type IssueRequest, type IssuerContext, IssuerError } from "../issuer.ts";
import { budgetOf, placeOf } from "./budget.ts";
import type { AcmeConfig } from "./config.ts";
import type { AcmeConnection } from "./connection.ts";
import { AcmeFailure } from "./problem.ts";
import { renewalId } from "./renewal-information.ts";
import type { PlacedOrder } from "./state.ts";

/**
 * The CA knows that the certificate has a successor already (RFC 9773, 5: alreadyReplaced, with 409, by which some say it alone), or
 * it does not know the certificate as this account's.
 */
function isNotReplaceable(error: unknown): error is AcmeFailure {
  if (!(error instanceof AcmeFailure)) return false;
  return (
    error.status === 409 || ["alreadyReplaced", "malformed", "unauthorized"].includes(error.problem.type)
  );
}

/** Places a new order, where the issuer's budget has room for it. Throws IssuerError. */
export async function placeOrder(
  request: IssueRequest,
  config: AcmeConfig,
  { progress, clock, budget }: IssuerContext,
  connection: AcmeConnection,
): Promise<PlacedOrder> {
  const directory = await connection.directory();
  requireProfile(config.profile, Object.keys(directory.meta?.profiles ?? {}));
  const replaces =
    config.renewal_information && directory.renewalInfo && request.replaces
      ? renewalId(request.replaces)
      : null;
  const payload = {
    identifiers: request.sans.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
    ...(config.profile === "" ? {} : { profile: config.profile }),
  };
  const { client } = connection;
  const { order, isReplacement } = await place();
  await progress("ordered", `${order.url} for ${request.sans.join(", ")}`);
  return {
    url: order.url,
    status: order.status,
    isFinalizing: false,
    isReplacement,
    problem: null,
    authorizations: [],
    placedAt: clock().toISOString(),
  };

  async function place(): Promise<{ order: CaOrder; isReplacement: boolean }> {
    if (replaces === null) return { order: await ask(false), isReplacement: false };
    try {
      return { order: await ask(true), isReplacement: true };
    } catch (error) {
      if (!isNotReplaceable(error)) throw error;
      await progress("ordering", `without naming the certificate that is replaced: ${error.message}`);
      return { order: await ask(false), isReplacement: false };
    }
  }

  async function ask(isReplacement: boolean): Promise<CaOrder> {
    await budget.take(placeOf(request.keyId, request.sans, isReplacement), budgetOf(config));
    try {
      return await client.createOrder({ ...payload, ...(isReplacement && { replaces }) } as typeof payload);
    } catch (error) {
      // What the CA refused it does not sign; one that was not heard of it may.
      if (error instanceof AcmeFailure && error.status < 500) await budget.release(request.keyId);
      throw error;
    }
  }
}

function requireProfile(wanted: string, offered: readonly string[]): void {
  if (wanted === "" || offered.includes(wanted)) return;
  const known = offered.length === 0 ? "no profiles" : `the profiles ${offered.join(", ")}`;
  throw new IssuerError(
    "order",
    `the CA offers ${known}; profile "${wanted}" is none of them`,
    "Configuration",
  );
}
