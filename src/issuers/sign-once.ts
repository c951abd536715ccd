import type { JsonObject } from "@bufbuild/protobuf";
import { z } from "zod";
import { pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import type { Issued, Order, Ordered } from "./issuer.ts";

const state = z.object({ signed: z.array(z.string()), root: z.string() });

/**
 * Has a CA sign that knows no orders. What it answered is kept, so that an attempt which ends before the certificate is stored
 * is followed by one that asks the CA for nothing; a CA whose answer never arrived is asked again. What is kept is used once: an
 * answer that was no good does not stand in the way of the next. Where the CA signs later, `sign` has written what to ask for.
 */
export async function signOnce(
  order: Order,
  sign: () => Promise<Issued | Ordered>,
): Promise<Issued | Ordered> {
  const kept = state.safeParse(await order.read()).data;
  if (kept) {
    const issued = readAnswer("sign", kept.signed, kept.root);
    await order.write(null);
    return issued;
  }
  const issued = await sign();
  if ("pollAfterMs" in issued) return issued;
  const signed = [pem("CERTIFICATE", issued.leafDer), ...issued.chainPem];
  await order.write({ signed, root: issued.rootPem });
  return issued;
}

/** Whether the CA's certificate lies in an order's state. */
export function hasSigned(order: JsonObject): boolean {
  return state.safeParse(order).success;
}
