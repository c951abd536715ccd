import type { Actor } from "../audit/record.ts";
import { invalid } from "../platform/errors.ts";
import type { HardwareToken } from "../platform/hardware-token.ts";
import { newId } from "../platform/ids.ts";
import { makeCaCsr } from "../x509/ca-csr.ts";
import { canonicalCidr } from "../x509/cidr.ts";
import { type KeyHandle, spkiOf } from "../x509/keys.ts";
import { type NameConstraints, noSubtrees } from "../x509/name-constraints.ts";
import { canonicalDns, NameError } from "../x509/names.ts";
import { newKey } from "../x509/new-key.ts";
import type { Authority } from "./authority.ts";
import { type AuthorityDeps, keepAuthority, keepRefusal, requireLocalIssuer, requireParent } from "./keep.ts";
import { type CaContent, caExtensions, makeCa } from "./make-ca.ts";
import { reasonNotToSignCa } from "./may-sign-ca.ts";
import { KeyAbsentError } from "./row.ts";

export interface AuthorityWish {
  /** Empty: made here. */
  id: string;
  name: string;
  /** Empty: a root. */
  issuerId: string;
  /** Empty with an issuer: another CA is to sign it. */
  parentId: string;
  /** Empty: what is usual. */
  keyAlgorithm: string;
  /** The key is made in the hardware token. */
  isInToken: boolean;
  /** 0: what is usual. */
  validityDays: number;
  /** Undefined: what is usual. */
  pathLength: number | undefined;
  names: NameConstraints | null;
}

const usual = {
  root: { keyAlgorithm: "ECDSA-P384", validityDays: 3_652, pathLength: 1 },
  issuing: { keyAlgorithm: "ECDSA-P256", validityDays: 1_826, pathLength: 0 },
};

/** Makes a root, an issuing CA under one, or one that waits for another CA's signature. Returns its id. */
export async function createAuthority(
  deps: AuthorityDeps,
  actor: Actor,
  wanted: AuthorityWish,
): Promise<string> {
  const { db, issuing, clock } = deps;
  const { name, issuerId, parentId } = wanted;
  const id = wanted.id || newId("ca");
  const isRoot = issuerId === "";
  if (isRoot && parentId !== "")
    throw invalid({ field: "issuer_id", description: "is missing: whom the CA is to sign for" });
  const defaults = isRoot ? usual.root : usual.issuing;
  const now = clock();
  const parent = parentId === "" ? null : requireParent(await issuing.find(parentId), parentId, now);
  const keyAlgorithm = wanted.keyAlgorithm || defaults.keyAlgorithm;
  const inToken = wanted.isInToken ? keyInToken(issuing.token, id, keyAlgorithm) : null;
  const inDatabase = inToken ? null : await newKey(keyAlgorithm);
  const key = inToken ?? inDatabase;
  if (!key) throw new Error("no key was made");
  const content: CaContent = {
    ...{ id, name, parent, key, now, names: wanted.names },
    validityDays: wanted.validityDays || defaults.validityDays,
    pathLength: wanted.pathLength ?? defaults.pathLength,
  };
  const refusal = parent && reasonNotToSignCa(parent, content);
  if (refusal) throw invalid(refusal);
  const isPending = !isRoot && !parent;
  const made = isPending ? null : signed(() => makeCa(content));
  const csr = isPending ? makeCaCsr(key, name, caExtensions({ ...content, isRoot })) : null;
  const role = isRoot ? "issuing-root" : "issuing-ca";
  try {
    await db.$transaction(async (tx) => {
      if (!isRoot) await requireLocalIssuer(tx, issuerId);
      const facts = { id, name, role, key: inDatabase, spki: spkiOf(key), csr } as const;
      const places = { issuerId: issuerId || null, parentId: parentId || null };
      const audit = {
        action: isPending ? "authority_requested" : "authority_created",
        details: { not_after: made?.certificate.validTo ?? null },
      };
      await keepAuthority(tx, deps, actor, { ...facts, ...places, certificate: made?.der ?? null }, audit);
    });
  } catch (error) {
    throw keepRefusal(error, id);
  }
  issuing.refresh();
  return id;
}

function keyInToken(token: HardwareToken | null, id: string, keyAlgorithm: string): KeyHandle {
  if (!token)
    throw invalid({ field: "key_place", description: "needs CERTCTL_PKCS11_MODULE on the control plane" });
  const curve = { "ECDSA-P256": "P-256", "ECDSA-P384": "P-384" }[keyAlgorithm];
  if (curve !== "P-256" && curve !== "P-384")
    throw invalid({ field: "key_algorithm", description: "is ECDSA-P256 or ECDSA-P384 in a hardware token" });
  return token.generate(id, curve);
}

/** Has the parent's key sign; one that is not here is the caller's to bring. */
function signed(make: () => Authority): Authority {
  try {
    return make();
  } catch (error) {
    if (error instanceof KeyAbsentError) throw invalid({ field: "parent_id", description: error.message });
    throw error;
  }
}

/** Reads name limits as people write them; every problem is reported at once. */
export function readNameLimits(
  limits:
    | { permittedDns: string[]; permittedIp: string[]; excludedDns: string[]; excludedIp: string[] }
    | undefined,
): NameConstraints | null {
  if (!limits) return null;
  const problems: { field: string; description: string }[] = [];
  const dns = (field: string, texts: string[]) =>
    texts.flatMap((text, i) => {
      try {
        return [canonicalDns(text.replace(/^\*?\./, ""))];
      } catch (error) {
        if (!(error instanceof NameError)) throw error;
        problems.push({ field: `names.${field}[${i}]`, description: error.message });
        return [];
      }
    });
  const ip = (field: string, texts: string[]) =>
    texts.flatMap((text, i) => {
      const cidr = canonicalCidr(text);
      if (cidr === null)
        problems.push({
          field: `names.${field}[${i}]`,
          description: `"${text}" is no CIDR, as 10.1.0.0/16 is`,
        });
      return cidr ?? [];
    });
  const permitted = {
    ...noSubtrees(),
    dns: dns("permitted_dns", limits.permittedDns),
    ip: ip("permitted_ip", limits.permittedIp),
  };
  const excluded = {
    ...noSubtrees(),
    dns: dns("excluded_dns", limits.excludedDns),
    ip: ip("excluded_ip", limits.excludedIp),
  };
  const [first, ...others] = problems;
  if (first) throw invalid(first, ...others);
  const isEmpty = [permitted, excluded].every((names) => names.dns.length + names.ip.length === 0);
  return isEmpty ? null : { permitted, excluded };
}
