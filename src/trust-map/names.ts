import { X509Certificate } from "node:crypto";
import type { Database } from "../platform/database.ts";

/** What nodes are called, by "<layer>:<value>". A CA is called by the subject of its certificate. */
export async function nameNodes(
  db: Database,
  nodes: readonly { layer: string; value: string }[],
): Promise<Map<string, string>> {
  const of = (wanted: string) =>
    nodes.filter(({ layer, value }) => layer === wanted && value !== "").map(({ value }) => value);
  const select = { id: true, name: true } as const;
  const named = (ids: string[]) => ({ where: { id: { in: ids } }, select });
  const [issuers, teams, agents, targets, owners, authorities] = await Promise.all([
    db.issuer.findMany(named(of("issuer"))),
    db.team.findMany(named(of("team"))),
    db.agent.findMany(named(of("agent"))),
    db.target.findMany(named(of("target"))),
    db.owner.findMany(named(of("owner"))),
    nameAuthorities(db, of("issuing_ca")),
  ]);
  const rows = { issuer: issuers, team: teams, agent: agents, target: targets, owner: owners };
  return new Map([
    ...Object.entries(rows).flatMap(([layer, found]) =>
      found.map(({ id, name }) => [`${layer}:${id}`, name] as const),
    ),
    ...authorities,
  ]);
}

async function nameAuthorities(db: Database, fingerprints: string[]): Promise<[string, string][]> {
  const rows = await db.$queryRaw<{ fingerprint: string; pem: string }[]>`
    SELECT wanted AS fingerprint, substr(v.pem_chain, strpos(v.pem_chain, '-----END CERTIFICATE-----') + 26) AS pem
    FROM unnest(${fingerprints}::text[]) wanted
    JOIN LATERAL (SELECT version_id FROM current_versions WHERE issuing_ca_sha256 = wanted LIMIT 1) sample ON true
    JOIN certificate_versions v ON v.id = sample.version_id`;
  return rows.map(({ fingerprint, pem }) => {
    const { subject } = new X509Certificate(pem);
    const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.split("\n").join(", ");
    return [`issuing_ca:${fingerprint}`, name];
  });
}
