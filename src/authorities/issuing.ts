import type { Authority as AuthorityRow } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { HardwareToken } from "../platform/hardware-token.ts";
import type { Sealer } from "../platform/seal.ts";
import type { Authority } from "./authority.ts";
import { authorityOf } from "./row.ts";

/** A CA of the customers' tree, with what decides whether it signs. */
export interface IssuingAuthority {
  authority: Authority;
  issuerId: string | null;
  activatedAt: Date | null;
}

/** The CAs of the customers' tree as the database has them now, whichever replica changed them. */
export interface IssuingAuthorities {
  /** Where their CRLs, OCSP answers and certificates are served, without a slash at the end; null: nowhere. */
  readonly pkiUrl: string | null;
  /** Where keys may be made that never leave it; null: there is none. */
  readonly token: HardwareToken | null;
  /** The CA that signs for an issuer: its newest that is active. Null: it has none. */
  signingFor(issuerId: string, tx?: Transaction): Promise<Authority | null>;
  find(id: string, tx?: Transaction): Promise<Authority | null>;
  /** All that have their certificates, roots and others' included. */
  list(tx?: Transaction): Promise<readonly IssuingAuthority[]>;
  /** What a change just wrote is seen by this replica's next question. */
  refresh(): void;
}

/** For so long a replica may go on with what it read: a rotation is known everywhere a second later. */
const freshMs = 1_000;

interface Snapshot {
  readAt: number;
  all: readonly IssuingAuthority[];
  byId: ReadonlyMap<string, IssuingAuthority>;
}

/** Opens CAs when they are needed; a key is opened once, and again when its row changed. */
export function createIssuingAuthorities(
  db: Database,
  sealer: Sealer,
  pkiUrl: string | null,
  token: HardwareToken | null = null,
): IssuingAuthorities {
  let opened = new Map<string, { version: string; authority: Authority }>();
  let snapshot: Snapshot | null = null;

  async function read(tx: Transaction | undefined, isFresh: boolean): Promise<Snapshot> {
    if (!isFresh && snapshot && performance.now() - snapshot.readAt < freshMs) return snapshot;
    const readAt = performance.now();
    const rows = await (tx ?? db).authority.findMany({
      where: { role: { in: ["issuing-root", "issuing-ca"] }, certificate: { not: null } },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
    });
    const byId = open(rows);
    snapshot = { readAt, all: [...byId.values()], byId };
    return snapshot;
  }

  function open(rows: readonly AuthorityRow[]): Map<string, IssuingAuthority> {
    const next: typeof opened = new Map();
    const known = new Map(rows.map((row) => [row.id, row]));
    const openOne = (row: AuthorityRow): Authority => {
      const done = next.get(row.id);
      if (done) return done.authority;
      const above = row.parentId ? known.get(row.parentId) : undefined;
      const parent = above ? openOne(above) : null;
      const before = opened.get(row.id);
      const version = `${row.keyPlace} ${row.updatedAt.getTime()}`;
      const isSame = before?.version === version && before.authority.parent === parent;
      const authority = isSame ? before.authority : authorityOf(row, parent, { sealer, token });
      next.set(row.id, { version, authority });
      return authority;
    };
    const all = rows.map(
      (row) =>
        [row.id, { authority: openOne(row), issuerId: row.issuerId, activatedAt: row.activatedAt }] as const,
    );
    opened = next;
    return new Map(all);
  }

  function signing({ all }: Snapshot, issuerId: string): Authority | null {
    let newest: { authority: Authority; at: number } | null = null;
    for (const { authority, issuerId: own, activatedAt } of all) {
      if (own !== issuerId || !activatedAt) continue;
      if (!newest || activatedAt.getTime() >= newest.at) newest = { authority, at: activatedAt.getTime() };
    }
    return newest?.authority ?? null;
  }

  return {
    pkiUrl,
    token,
    async signingFor(issuerId, tx) {
      return signing(await read(tx, false), issuerId) ?? signing(await read(tx, true), issuerId);
    },
    async find(id, tx) {
      const known = (await read(tx, false)).byId.get(id) ?? (await read(tx, true)).byId.get(id);
      return known?.authority ?? null;
    },
    async list(tx) {
      return (await read(tx, false)).all;
    },
    refresh() {
      snapshot = null;
    },
  };
}
