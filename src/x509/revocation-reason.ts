/** Why a certificate is revoked: CRLReason of RFC 5280, 5.3.1, by certctl's words. */
const codes: Readonly<Record<string, number>> = {
  Unspecified: 0,
  KeyCompromise: 1,
  CaCompromise: 2,
  AffiliationChanged: 3,
  Superseded: 4,
  CessationOfOperation: 5,
  PrivilegeWithdrawn: 9,
};

/** Null for `Unspecified`, which is left out (RFC 5280, 5.3.1). */
export function reasonCode(reason: string): number | null {
  const code = codes[reason];
  if (code === undefined) throw new Error(`${reason} is no reason for a revocation`);
  return code === 0 ? null : code;
}
