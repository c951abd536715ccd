import { acme } from "./acme/acme.ts";
import { awsPrivateCa } from "./aws-private-ca.ts";
import { digicert } from "./digicert.ts";
import { ejbca } from "./ejbca.ts";
import { googleCas } from "./google-cas.ts";
import type { Issuer } from "./issuer.ts";
import { localCa } from "./local-ca.ts";
import { script } from "./script.ts";
import { sectigo } from "./sectigo.ts";
import { stepCa } from "./step-ca.ts";
import { vault } from "./vault.ts";

/** Every kind of issuer, in the order in which forms list them. */
export const issuers: readonly Issuer[] = [
  localCa,
  acme,
  script,
  vault,
  stepCa,
  ejbca,
  awsPrivateCa,
  googleCas,
  digicert,
  sectigo,
];

export const issuerByKind: ReadonlyMap<string, Issuer> = new Map(
  issuers.map((issuer) => [issuer.kind, issuer]),
);
