import type { ConnectError } from "@connectrpc/connect";
import { conflict } from "../platform/errors.ts";

/**
 * What depends on something keeps it: `issuer iss-x is in use by 2 certificates, 1 api key`.
 * @param counts how many by plural: "open jobs"
 * @param advice what to do about it
 */
export function inUse(what: string, counts: Record<string, number>, advice?: string): ConnectError {
  const used = Object.entries(counts).filter(([, count]) => count > 0);
  const text = used
    .map(([name, count]) => `${count} ${count === 1 ? name.replace(/ies$/, "y").replace(/s$/, "") : name}`)
    .join(", ");
  const details = used.map(([name, count]) => ({
    field: name.replaceAll(" ", "_"),
    description: String(count),
  }));
  return conflict("IN_USE", `${what} is in use by ${text}${advice ? `; ${advice}` : ""}`, details);
}
