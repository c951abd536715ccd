import type { JsonObject } from "@bufbuild/protobuf";
import type { Issuer as IssuerRow, Prisma } from "#gen/prisma/client.ts";
import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireReachable } from "../connectors/destinations.ts";
import { maskSecrets, openSecrets, readWanted, sealSecrets } from "../connectors/secrets.ts";
import type { Database } from "../platform/database.ts";
import type { Egress } from "../platform/egress.ts";
import { invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import type { Sealer } from "../platform/seal.ts";
import { type Archivable, archiveRow, lockLiveRow, writeRefusal } from "../resources/archive.ts";
import type { Issuer } from "./issuer.ts";

/** The kinds of issuer that this server knows, by name. */
export type IssuerKinds = ReadonlyMap<string, Issuer>;

export interface IssuerDeps {
  db: Database;
  sealer: Sealer;
  issuerKinds: IssuerKinds;
  egress: Egress;
  clock: () => Date;
}

export const issuerKind: Archivable = { what: "issuer", table: "issuers" };

export async function createIssuer(
  { db, sealer, issuerKinds, egress, clock }: IssuerDeps,
  actor: Actor,
  wanted: { id: string; name: string; kind: string; config: JsonObject; enabled: boolean },
): Promise<string> {
  const id = wanted.id || newId("iss");
  const { name, kind, enabled } = wanted;
  const issuer = kindOf(issuerKinds, kind);
  const plain = readWanted(issuer.config, wanted.config, null);
  requireReachable(egress, issuer.config, plain);
  const config = stored(sealer, issuer, id, plain);
  const now = clock();
  try {
    await db.$transaction(async (tx) => {
      await tx.issuer.create({ data: { id, name, kind, enabled, config, createdAt: now, updatedAt: now } });
      await recordAudit(tx, actor, {
        action: "issuer_created",
        resourceType: "issuer",
        resourceId: id,
        details: { after: { name, kind, enabled, config: maskSecrets(config) } },
      });
    });
  } catch (error) {
    throw writeRefusal(error, issuerKind, { id, name });
  }
  return id;
}

/** Replaces all but the kind; `enabled` stays as it is where it is left out. */
export async function updateIssuer(
  { db, sealer, issuerKinds, egress, clock }: IssuerDeps,
  actor: Actor,
  wanted: { id: string; name: string; config: JsonObject; enabled: boolean | undefined },
): Promise<void> {
  const { id, name } = wanted;
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, issuerKind, id);
      const row = await tx.issuer.findUniqueOrThrow({ where: { id } });
      const issuer = kindOf(issuerKinds, row.kind);
      const plain = readWanted(issuer.config, wanted.config, openConfig(sealer, row));
      requireReachable(egress, issuer.config, plain);
      const config = stored(sealer, issuer, id, plain);
      const enabled = wanted.enabled ?? row.enabled;
      const data = { name, enabled, config, updatedAt: clock() };
      await recordChange(tx, actor, { ...issuerKind, id }, () => tx.issuer.update({ where: { id }, data }));
    });
  } catch (error) {
    throw writeRefusal(error, issuerKind, { id, name });
  }
}

/** Archives an issuer that no live certificate has and no key is restricted to. */
export async function archiveIssuer({ db, clock }: IssuerDeps, actor: Actor, id: string): Promise<void> {
  await archiveRow(db, actor, issuerKind, {
    id,
    now: clock(),
    dependants: async (tx) => ({
      certificates: await tx.managedCertificate.count({ where: { issuerId: id, archivedAt: null } }),
      "issuers that it stands by for": await tx.issuer.count({
        where: { standbyIssuerId: id, archivedAt: null },
      }),
      "api keys": await tx.apiKey.count({ where: { issuerIds: { has: id }, revokedAt: null } }),
    }),
  });
}

export function kindOf(kinds: IssuerKinds, kind: string): Issuer {
  const issuer = kinds.get(kind);
  if (issuer) return issuer;
  const known = [...kinds.keys()].join(", ");
  throw invalid({ field: "kind", description: `"${kind}" is no kind of issuer; known are ${known}` });
}

/** An issuer's configuration as its connector needs it. Throws SealError. */
export function openConfig(sealer: Sealer, { id, config }: Pick<IssuerRow, "id" | "config">): JsonObject {
  return openSecrets(sealer, { table: "issuers", id }, config as JsonObject);
}

function stored(sealer: Sealer, issuer: Issuer, id: string, config: JsonObject) {
  return sealSecrets(sealer, { table: "issuers", id }, issuer.config, config) as JsonObject &
    Prisma.InputJsonObject;
}
