import { useQuery } from "@connectrpc/connect-query";
import { useMemo } from "react";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";

/** Names of what certificates refer to, by id; an id stands for itself where its name is not known. */
export interface Names {
  issuers: ReadonlyMap<string, string>;
  owners: ReadonlyMap<string, string>;
  teams: ReadonlyMap<string, string>;
  renewalPolicies: ReadonlyMap<string, string>;
}

const all = { perPage: 500 };

export function useNames(): Names {
  const issuers = useQuery(IssuerService.method.listIssuers, all).data;
  const owners = useQuery(OwnerService.method.listOwners, all).data;
  const teams = useQuery(TeamService.method.listTeams, all).data;
  const policies = useQuery(RenewalPolicyService.method.listRenewalPolicies, all).data;
  return useMemo(
    () => ({
      issuers: byId(issuers?.data),
      owners: byId(owners?.data),
      teams: byId(teams?.data),
      renewalPolicies: byId(policies?.data),
    }),
    [issuers, owners, teams, policies],
  );
}

function byId(rows: readonly { id: string; name: string }[] = []): ReadonlyMap<string, string> {
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export function nameOf(names: ReadonlyMap<string, string>, id: string): string {
  return names.get(id) ?? id;
}
