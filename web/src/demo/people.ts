import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Owner, OwnerSchema } from "#gen/certctl/v1/owners_pb.ts";
import { type RenewalPolicy, RenewalPolicySchema } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { type Team, TeamSchema } from "#gen/certctl/v1/teams_pb.ts";

const people = [
  ["t-payments", "Payments", "Ada Kowalski", "Noor Haddad"],
  ["t-web", "Web", "Ben Okafor", "Gus Moreau"],
  ["t-platform", "Platform", "Chen Wei", "Hana Sato"],
  ["t-data", "Data", "Dana Levy", "Ivo Petrov"],
  ["t-identity", "Identity", "Emil Berg", "Jun Tanaka"],
] as const;

export function makeTeams(at: Date): Team[] {
  return people.map(([id, name]) =>
    create(TeamSchema, {
      id,
      name,
      description: `Everything that ${name} runs`,
      email: `${id.slice(2)}@certctl.example`,
      ownerCount: 2,
      createdAt: timestampFromDate(at),
    }),
  );
}

export function makeOwners(at: Date): Owner[] {
  return people.flatMap(([teamId, , ...names]) =>
    names.map((name) => {
      const first = name.split(" ")[0]?.toLowerCase() ?? "";
      return create(OwnerSchema, {
        id: `o-${first}`,
        name,
        email: `${first}@certctl.example`,
        teamId,
        createdAt: timestampFromDate(at),
      });
    }),
  );
}

export function makeRenewalPolicies(at: Date): RenewalPolicy[] {
  const policy = (id: string, name: string, renewalWindowDays: number, alertThresholdsDays: number[]) =>
    create(RenewalPolicySchema, {
      id,
      name,
      renewalWindowDays,
      autoRenew: true,
      maxRetries: 6,
      alertThresholdsDays,
      createdAt: timestampFromDate(at),
      channels: [{ notifierId: "nf-oncall", thresholdsDays: alertThresholdsDays, events: [] }],
    });
  return [
    policy("rp-default", "Default", 30, [30, 14, 7, 0]),
    policy("rp-early", "Early and often", 20, [14, 7, 1]),
  ];
}
