import type { ServiceImpl } from "@connectrpc/connect";
import { type Certificate, CertificateSchedule, CertificateStatus } from "#gen/certctl/v1/certificates_pb.ts";
import { TrustMapGrouping, TrustMapLayer, type TrustMapService } from "#gen/certctl/v1/trust_map_pb.ts";
import { liveCertificates } from "../refresh.ts";
import type { World } from "../world.ts";

/** What a certificate is in each layer. */
interface Place {
  layer: TrustMapLayer;
  kind: string;
  value: string;
  name: string;
  filter: {
    issuerIds?: string[];
    teamIds?: string[];
    environments?: string[];
    ownerIds?: string[];
    agentIds?: string[];
  };
}

const bad: readonly CertificateStatus[] = [
  CertificateStatus.FAILED,
  CertificateStatus.EXPIRED,
  CertificateStatus.EXPIRING,
];
const late: readonly CertificateSchedule[] = [CertificateSchedule.OVERDUE, CertificateSchedule.AT_RISK];

/** The control plane's map, over what the demo has. */
export function trustMapDemo(world: World): Partial<ServiceImpl<typeof TrustMapService>> {
  return {
    getTrustMap({ root, group, onlyProblems }) {
      const chosen = liveCertificates(world)
        .map((certificate) => ({
          places: placesOf(world, certificate, group),
          isProblem: hasProblem(certificate),
        }))
        .filter(
          ({ places, isProblem }) =>
            (root === "" || places.some((place) => idOf(place) === root)) && (isProblem || !onlyProblems),
        );
      const nodes = new Map<string, Place & { certificates: number; problems: number }>();
      const edges = new Map<string, { from: string; to: string; certificates: number }>();
      for (const { places, isProblem } of chosen)
        for (const [index, place] of places.entries()) {
          const id = idOf(place);
          const before = nodes.get(id) ?? { ...place, certificates: 0, problems: 0 };
          nodes.set(id, {
            ...before,
            certificates: before.certificates + 1,
            problems: before.problems + Number(isProblem),
          });
          const next = places[index + 1];
          if (!next) continue;
          const key = `${id} ${idOf(next)}`;
          const edge = edges.get(key) ?? { from: id, to: idOf(next), certificates: 0 };
          edges.set(key, { ...edge, certificates: edge.certificates + 1 });
        }
      const sorted = [...nodes.values()].sort(
        (one, other) => one.layer - other.layer || other.certificates - one.certificates,
      );
      const layers = [...new Set(sorted.map(({ layer }) => layer))];
      return {
        trustMap: {
          nodes: sorted.map(({ kind, ...node }) => ({ ...node, id: idOf({ kind, value: node.value }) })),
          edges: [...edges.values()],
          layers: layers.map((layer) => {
            const total = sorted.filter((node) => node.layer === layer).length;
            return { layer, total, shown: total };
          }),
          certificates: chosen.length,
          problems: chosen.filter(({ isProblem }) => isProblem).length,
          filter: nodes.get(root)?.filter ?? {},
        },
      };
    },
  };
}

const idOf = ({ kind, value }: Pick<Place, "kind" | "value">) => `${kind}:${value}`;

function hasProblem({ status, schedule, deploymentsDrifted }: Certificate): boolean {
  return bad.includes(status) || late.includes(schedule) || deploymentsDrifted > 0;
}

function placesOf(world: World, certificate: Certificate, group: TrustMapGrouping): Place[] {
  const { id, issuerId, issuerName, teamId, teamName, environment, ownerId, ownerName } = certificate;
  const agentId = world.deployments.get(id)?.[0]?.agentId ?? certificate.agentId;
  const team = {
    layer: TrustMapLayer.TEAM,
    kind: "team",
    value: teamId,
    name: teamName,
    filter: { teamIds: [teamId] },
  };
  const stage = {
    layer: TrustMapLayer.ENVIRONMENT,
    kind: "environment",
    value: environment,
    name: environment,
    filter: { environments: [environment] },
  };
  return [
    {
      layer: TrustMapLayer.ISSUER,
      kind: "issuer",
      value: issuerId,
      name: issuerName,
      filter: { issuerIds: [issuerId] },
    },
    group === TrustMapGrouping.ENVIRONMENT ? stage : team,
    {
      layer: TrustMapLayer.AGENT,
      kind: "agent",
      value: agentId,
      name: world.agents.get(agentId)?.name ?? agentId,
      filter: { agentIds: [agentId] },
    },
    {
      layer: TrustMapLayer.OWNER,
      kind: "owner",
      value: ownerId,
      name: ownerName,
      filter: { ownerIds: [ownerId] },
    },
  ];
}
