import type { Actor } from "../audit/record.ts";
import { conflict, notFound } from "../platform/errors.ts";
import { keyAlgorithmOf } from "../x509/keys.ts";
import { createAuthority } from "./create.ts";
import type { AuthorityDeps } from "./keep.ts";
import { limitsOf } from "./may-sign.ts";
import { rightsOf } from "./may-sign-ca.ts";

const dayMs = 86_400_000;

/**
 * Makes the successor of the CA that signs for an issuer: same parent, limits and lifetime, another key. Where the parent's key is
 * elsewhere, it waits for its certificate, and the CA goes on signing until then. Returns the successor's id.
 */
export async function rotateAuthority(deps: AuthorityDeps, actor: Actor, id: string): Promise<string> {
  const row = await deps.db.authority.findUnique({ where: { id }, include: { parent: true } });
  if (!row) throw notFound("authority", id);
  const authority = await deps.issuing.find(id);
  if (!authority || row.issuerId === null || !row.parent)
    throw conflict("NO_ISSUING_CA", `${id} signs for no issuer: there is nothing to take over`);
  const signing = await deps.issuing.signingFor(row.issuerId);
  if (signing?.id !== id)
    throw conflict("SUCCEEDED", `${id} has its successor already: ${signing?.id ?? "none"}`);
  const waiting = await deps.db.authority.findFirst({ where: { issuerId: row.issuerId, certificate: null } });
  if (waiting) throw conflict("PENDING", `${waiting.id} waits for its certificate already: install that`);
  if (row.parent.keyPlace === "offline")
    throw conflict(
      "KEY_OFFLINE",
      `the key of ${row.parent.id}, which signs it, is offline: bring it back first (certctl authorities restore-key)`,
    );
  const { validFrom, validTo, publicKey } = authority.certificate;
  const isElsewhere = row.parent.keyPlace === "elsewhere";
  return createAuthority(deps, actor, {
    id: "",
    name: nextName(row.name),
    issuerId: row.issuerId,
    parentId: isElsewhere ? "" : row.parent.id,
    keyAlgorithm: keyAlgorithmOf(publicKey) ?? "",
    validityDays: Math.round((Date.parse(validTo) - Date.parse(validFrom)) / dayMs),
    pathLength: rightsOf(authority.der).pathLength,
    names: limitsOf(authority).names,
    isInToken: row.keyPlace === "pkcs11",
  });
}

/** "name", "name 2", "name 3": two CAs of one name are hard to tell apart. */
function nextName(name: string): string {
  const [, base = name, number = "1"] = /^(.*?)(?: (\d{1,4}))?$/.exec(name) ?? [];
  const ending = ` ${Number(number) + 1}`;
  return base.slice(0, 64 - ending.length) + ending;
}
