import { recordAudit, system } from "../audit/record.ts";
import { defaultIssuerId, ensureDefaultIssuer } from "../issuers/default-issuer.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { type Place, SealError, type Sealer } from "../platform/seal.ts";
import { StartupError } from "../platform/startup-error.ts";
import { sha256 } from "../x509/keys.ts";
import { type Authorities, type Authority, makeAuthority, parents, type Role, roles } from "./authority.ts";
import { authorityOf, sealedKeyPlace } from "./row.ts";

const keyCheckText = Buffer.from("certctl key check");
const keyCheckPlace: Place = { table: "installation", id: "1", field: "key_check" };
/** Any number that nothing else locks: replicas that start at once make one set of CAs. */
const firstStartLock = 7_220_114_331;

/**
 * Opens the CAs, making them at the first start. Throws StartupError when the wrapping key is not the one that sealed
 * this database.
 */
export async function openAuthorities(db: Database, sealer: Sealer, now: Date): Promise<Authorities> {
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${firstStartLock}::bigint)`;
    const trustDomain = await openInstallation(tx, sealer);
    await ensureDefaultIssuer(tx);
    const byRole: Partial<Record<Role, Authority>> = {};
    for (const role of roles) {
      const parentRole = parents[role];
      const parent = parentRole ? (byRole[parentRole] ?? null) : null;
      byRole[role] =
        (await load(tx, sealer, role, parent)) ??
        (await create(tx, sealer, { role, parent, trustDomain, now }));
    }
    return { trustDomain, byRole: byRole as Record<Role, Authority> };
  });
}

async function openInstallation(tx: Transaction, sealer: Sealer): Promise<string> {
  const found = await tx.installation.findUnique({ where: { id: 1 } });
  if (found) {
    try {
      sealer.open(keyCheckPlace, found.keyCheck);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      throw new StartupError(
        `the database cannot be opened: ${error.message}; set the key that this database was made with`,
      );
    }
    await noteDatabase(tx, found.systemIdentifier);
    return found.trustDomain;
  }
  const trustDomain = `${newId("certctl")}.internal`;
  await tx.installation.create({
    data: {
      trustDomain,
      keyCheck: new Uint8Array(sealer.seal(keyCheckPlace, keyCheckText)),
      systemIdentifier: await systemIdentifier(tx),
    },
  });
  return trustDomain;
}

/** In another PostgreSQL transaction ids begin again: what is written from here on comes after all that was. */
async function noteDatabase(tx: Transaction, known: string): Promise<void> {
  const current = await systemIdentifier(tx);
  if (current === known) return;
  const { dbEpoch } = await tx.installation.update({
    where: { id: 1 },
    data: { systemIdentifier: current, ...(known === "" ? {} : { dbEpoch: { increment: 1 } }) },
  });
  if (known === "") return;
  await recordAudit(tx, system, {
    action: "database_moved",
    resourceType: "installation",
    resourceId: "1",
    details: { before: known, after: current, epoch: dbEpoch },
  });
}

async function systemIdentifier(tx: Transaction): Promise<string> {
  const [row] = await tx.$queryRaw<
    [{ id: string }]
  >`SELECT system_identifier::text AS id FROM pg_control_system()`;
  return row.id;
}

/** Of the issuing tree the one of the first start: the others are opened by `createIssuingAuthorities`, as they are needed. */
async function load(
  tx: Transaction,
  sealer: Sealer,
  role: Role,
  parent: Authority | null,
): Promise<Authority | null> {
  const isOfFirstStart = role.startsWith("issuing-");
  const row = await tx.authority.findFirst({
    where: { role, certificate: { not: null } },
    orderBy: { createdAt: isOfFirstStart ? "asc" : "desc" },
  });
  return row && authorityOf(row, parent, { sealer, token: null });
}

async function create(
  tx: Transaction,
  sealer: Sealer,
  options: { role: Role; parent: Authority | null; trustDomain: string; now: Date },
): Promise<Authority> {
  const authority = makeAuthority({ id: newId("ca"), ...options });
  const pkcs8 = authority.key.export({ type: "pkcs8", format: "der" });
  const signs = authority.role === "issuing-ca";
  await tx.authority.create({
    data: {
      id: authority.id,
      name: `certctl ${authority.role.replaceAll("-", " ")}`,
      role: authority.role,
      issuerId: signs ? defaultIssuerId : null,
      activatedAt: signs ? options.now : null,
      createdAt: options.now,
      parentId: authority.parent?.id ?? null,
      certificate: new Uint8Array(authority.der),
      sealedKey: new Uint8Array(sealer.seal(sealedKeyPlace(authority.id), pkcs8)),
      spkiSha256: new Uint8Array(sha256(authority.spki)),
    },
  });
  const details = { role: authority.role, not_after: authority.certificate.validTo };
  await recordAudit(tx, system, {
    action: "authority_created",
    resourceType: "authority",
    resourceId: authority.id,
    details,
  });
  return authority;
}
