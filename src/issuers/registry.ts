import type { Issuer } from "./issuer.ts";
import { localCa } from "./local-ca.ts";

/** Every kind of issuer, in the order in which forms list them. */
export const issuers: readonly Issuer[] = [localCa];

export const issuerByKind: ReadonlyMap<string, Issuer> = new Map(
  issuers.map((issuer) => [issuer.kind, issuer]),
);
