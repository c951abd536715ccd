import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Certificate,
  CertificateFilterSchema,
  CertificateStatus,
} from "#gen/certctl/v1/certificates_pb.ts";
import { ForecastGrouping, type RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { TrustMapGrouping, TrustMapLayer, type TrustMapService } from "#gen/certctl/v1/trust_map_pb.ts";
import { liveCertificates } from "../refresh.ts";
import type { World } from "../world.ts";

const dayMs = 86_400_000;

/** What a certificate is counted under. */
type Key = readonly [value: string, name: string];

const groupings: Readonly<Partial<Record<ForecastGrouping, (certificate: Certificate) => Key>>> = {
  [ForecastGrouping.ISSUER]: ({ issuerId, issuerName }) => [issuerId, issuerName],
  [ForecastGrouping.TEAM]: ({ teamId, teamName }) => [teamId, teamName],
  [ForecastGrouping.ENVIRONMENT]: ({ environment }) => [environment, environment],
};

export function renewalsDemo(world: World): Partial<ServiceImpl<typeof RenewalService>> {
  return {
    getRenewalForecast({ days = 98, group, lifetimeDays }) {
      const now = Date.now();
      const today = Math.floor(now / dayMs);
      const keyOf = groupings[group];
      const planned = liveCertificates(world).flatMap((certificate) =>
        renewalsOf(certificate, now, days || 98, lifetimeDays),
      );
      const counted = (rows: readonly Planned[]) =>
        keyOf ? groupsOf(rows.map(({ certificate }) => keyOf(certificate))) : [];
      const overdue = planned.filter(({ at }) => at < now);
      const ahead = planned.filter(({ at }) => at >= now);
      return {
        forecast: {
          at: timestampFromDate(new Date(now)),
          days: Array.from({ length: days || 98 }, (_, index) => {
            const rows = ahead.filter(({ at }) => Math.floor(at / dayMs) === today + index);
            const date = new Date((today + index) * dayMs).toISOString().slice(0, 10);
            return { date, renewals: rows.length, groups: counted(rows), expiring: 0 };
          }),
          renewals: ahead.length,
          groups: counted(ahead),
          overdue: overdue.length,
          overdueGroups: counted(overdue),
          earlyPerDay: 50,
          lifetimeDays,
          group,
        },
      };
    },
  };
}

interface Planned {
  certificate: Certificate;
  at: number;
}

/** The next renewal, and those after it, each after two thirds of a life. */
function renewalsOf(certificate: Certificate, now: number, days: number, lifetimeDays: number): Planned[] {
  if (!certificate.renewAt) return [];
  const stepMs = ((lifetimeDays || certificate.validitySeconds / 86_400) * dayMs * 2) / 3;
  const first = Math.min(timestampDate(certificate.renewAt).getTime(), now + stepMs);
  const planned: Planned[] = [];
  for (let at = first; at < now + days * dayMs; at = Math.max(at, now) + stepMs)
    planned.push({ certificate, at });
  return planned;
}

function groupsOf(keys: readonly Key[]) {
  const names = new Map(keys);
  return [...Map.groupBy(keys, ([value]) => value)].map(([value, rows]) => ({
    value,
    name: names.get(value) ?? value,
    count: rows.length,
  }));
}

const wrong: readonly CertificateStatus[] = [
  CertificateStatus.EXPIRED,
  CertificateStatus.EXPIRING,
  CertificateStatus.FAILED,
];

export function trustMapDemo(world: World): Partial<ServiceImpl<typeof TrustMapService>> {
  return {
    getTrustMap({ group, onlyProblems }) {
      const isWrong = (each: Certificate) => wrong.includes(each.status) || each.deploymentsDrifted > 0;
      const all = liveCertificates(world).filter((each) => !onlyProblems || isWrong(each));
      const agentOf = ({ targetIds: [id = ""] }: Certificate) => world.targets.get(id)?.agentId ?? "";
      const layers: readonly (readonly [
        TrustMapLayer,
        (each: Certificate) => Key,
        (value: string) => object,
      ])[] = [
        [
          TrustMapLayer.ISSUER,
          (each) => [each.issuerId, each.issuerName],
          (value) => ({ issuerIds: [value] }),
        ],
        [
          group === TrustMapGrouping.ENVIRONMENT ? TrustMapLayer.ENVIRONMENT : TrustMapLayer.TEAM,
          (each) =>
            group === TrustMapGrouping.ENVIRONMENT
              ? [each.environment, each.environment]
              : [each.teamId, each.teamName],
          (value) =>
            group === TrustMapGrouping.ENVIRONMENT ? { environments: [value] } : { teamIds: [value] },
        ],
        [
          TrustMapLayer.AGENT,
          (each) => [agentOf(each), world.agents.get(agentOf(each))?.name ?? ""],
          (value) => ({ agentIds: [value] }),
        ],
        [TrustMapLayer.OWNER, (each) => [each.ownerId, each.ownerName], (value) => ({ ownerIds: [value] })],
      ];
      const idOf = (layer: TrustMapLayer, value: string) => `${layer}:${value}`;
      const nodes = layers.flatMap(([layer, keyOf, filterOf]) =>
        [...Map.groupBy(all, (each) => keyOf(each)[0])].map(([value, rows]) => ({
          id: idOf(layer, value),
          layer,
          value,
          name: rows[0] ? keyOf(rows[0])[1] : value,
          certificates: rows.length,
          problems: rows.filter(isWrong).length,
          filter: create(CertificateFilterSchema, filterOf(value)),
        })),
      );
      const edges = layers.slice(1).flatMap(([layer, keyOf], index) => {
        const [before, keyBefore] = layers[index] ?? layers[0] ?? [layer, keyOf];
        const pairs = all.map((each) => `${idOf(before, keyBefore(each)[0])} ${idOf(layer, keyOf(each)[0])}`);
        return [...Map.groupBy(pairs, (pair) => pair)].map(([pair, rows]) => {
          const [from = "", to = ""] = pair.split(" ");
          return { from, to, certificates: rows.length };
        });
      });
      return {
        trustMap: {
          nodes,
          edges,
          layers: layers.map(([layer]) => {
            const shown = nodes.filter((node) => node.layer === layer).length;
            return { layer, total: shown, shown };
          }),
          certificates: all.length,
          problems: all.filter(isWrong).length,
          filter: create(CertificateFilterSchema, {}),
        },
      };
    },
  };
}
