import { useQuery } from "@connectrpc/connect-query";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { JobService, JobStatus, JobType } from "#gen/certctl/v1/jobs_pb.ts";
import { NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { countText } from "../../ui/time-text.ts";

export interface SetupStep {
  title: string;
  isDone: boolean;
  isOptional?: boolean;
  /** What the control plane knows of it. */
  fact?: string | undefined;
  /** Where it is done. */
  to: string;
  /** How it is done at a terminal. */
  command?: string;
}

const one = { perPage: 1 };

/** What there is to set up, and how much of it is there; undefined until it is known. */
export function useSetupSteps(): SetupStep[] | undefined {
  const issuers = useQuery(IssuerService.method.listIssuers, one).data;
  const agents = useQuery(AgentService.method.listAgents, one).data;
  const targets = useQuery(TargetService.method.listTargets, one).data;
  const certificates = useQuery(CertificateService.method.listCertificates, { perPage: 20 }).data;
  const notifiers = useQuery(NotifierService.method.listNotifiers, one).data;
  const teams = useQuery(TeamService.method.listTeams, one).data;
  const deployments = useQuery(JobService.method.listJobs, {
    ...one,
    type: [JobType.DEPLOYMENT],
    status: [JobStatus.COMPLETED],
  }).data;
  if (!issuers || !agents || !targets || !certificates || !deployments || !notifiers || !teams)
    return undefined;
  // A deployment is completed by its proof.
  const isProven =
    deployments.total > 0 || certificates.data.some(({ deploymentsProven }) => deploymentsProven > 0);
  return [
    {
      title: "Have a CA that signs",
      isDone: issuers.total > 0,
      fact: issuers.data[0]?.name,
      to: "/issuers",
      command: "certctl issuers kinds",
    },
    {
      title: "Join an agent beside your server",
      isDone: agents.total > 0,
      fact: agents.total > 0 ? countText(agents.total, "agent") : undefined,
      to: "/agents",
      command: "certctl join-tokens create --agent-id ag-web",
    },
    {
      title: "Name a place that it deploys to",
      isDone: targets.total > 0,
      fact: targets.total > 0 ? countText(targets.total, "target") : undefined,
      to: "/targets",
      command: `certctl targets create --id tgt-web --name web --kind nginx --agent-id ag-web --config '{"entry": "web"}'`,
    },
    {
      title: "Declare a certificate for it",
      isDone: certificates.total > 0,
      fact: certificates.total > 0 ? countText(certificates.total, "certificate") : undefined,
      to: "/certificates",
      command:
        "certctl certs create --id mc-web --name web --common-name www.example.com --target-ids tgt-web",
    },
    {
      title: "Renew it, and see it proven on the wire",
      isDone: isProven,
      to: "/certificates",
      command: "certctl certs renew mc-web --watch",
    },
    {
      title: "Tell somebody when something is wrong",
      isDone: notifiers.total > 0,
      isOptional: true,
      to: "/settings/channels",
    },
    {
      title: "Name the teams that certificates belong to",
      isDone: teams.total > 0,
      isOptional: true,
      to: "/owners/teams",
    },
  ];
}
