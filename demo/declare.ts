import { registerAgent } from "../src/agents/register.ts";
import { createApiKey } from "../src/api-keys/create.ts";
import type { Actor } from "../src/audit/record.ts";
import { archiveCertificate, createCertificate } from "../src/certificates/declare.ts";
import { renewCertificate } from "../src/certificates/renew.ts";
import { openStatuses } from "../src/jobs/state.ts";
import { createNotifier } from "../src/notifiers/manage.ts";
import { createOwner } from "../src/owners/manage.ts";
import { createRule } from "../src/policies/manage.ts";
import { createRenewalPolicy } from "../src/renewal-policies/manage.ts";
import { createTarget } from "../src/targets/manage.ts";
import { createTeam } from "../src/teams/manage.ts";
import { agents, certificates, type DemoCertificate, owners, teams } from "./estate.ts";
import { person, type World } from "./world.ts";

const admin = person("fatma");

const notifiers = [
  { id: "nf-oncall", name: "On-call", url: "http://hooks.certctl.example/oncall" },
  { id: "nf-chat", name: "Chat bridge", url: "http://hooks.certctl.example/chat" },
];

const everything = [
  "CertificateIssued",
  "RenewalFailed",
  "DeploymentFailed",
  "PolicyViolation",
  "AgentOffline",
];

const rules = [
  {
    type: "AllowedIssuers",
    config: { allowed_issuer_ids: ["iss-local"] },
    severity: "Critical",
    mode: "enforce",
  },
  {
    type: "AllowedDomains",
    config: { allowed_domains: ["*.certctl.example"] },
    severity: "Error",
    mode: "audit",
  },
  {
    type: "RequiredMetadata",
    config: { required_keys: ["owner", "team", "tags.service"] },
    severity: "Warning",
    mode: "audit",
  },
  {
    type: "AllowedEnvironments",
    config: { allowed: ["production", "staging"] },
    severity: "Warning",
    mode: "audit",
  },
  { type: "RenewalLeadTime", config: { lead_time_days: 10 }, severity: "Error", mode: "audit" },
  { type: "CertificateLifetime", config: { max_days: 60 }, severity: "Warning", mode: "audit" },
];

/** Everything that was there on the first day. */
export async function declareOrganisation(world: World): Promise<void> {
  const { db, clock } = world;
  for (const [id, name, description] of teams)
    await createTeam(db, admin, { id, name, description, email: `${id.slice(2)}@certctl.example` });
  for (const [id, name, teamId] of owners)
    await createOwner(db, admin, { id, name, teamId, email: `${id.slice(2)}@certctl.example` });
  for (const { id, name, url } of notifiers)
    await createNotifier(world, admin, {
      id,
      name,
      kind: "webhook",
      config: { url, secret: "a secret of the demo" },
      enabled: true,
      defaultRecipient: "",
    });
  await declareRenewalPolicies(world);
  for (const [index, rule] of rules.entries())
    await createRule(
      db,
      admin,
      { ...rule, id: `pr-demo-${index + 1}`, name: rule.type, enabled: true },
      clock(),
    );
  for (const { id, hostname } of agents) world.agentKeys[id] = await declareAgent(world, id, hostname);
  const keys = [
    {
      id: "ak-ci",
      name: "CI of the web team",
      role: "operator" as const,
      teamIds: ["t-web"],
      expiresAt: null,
    },
    { id: "ak-report", name: "Monthly report", role: "viewer" as const, teamIds: [], expiresAt: null },
    {
      id: "ak-revision",
      name: "Revision 2026",
      role: "auditor" as const,
      teamIds: [],
      expiresAt: new Date(clock().getTime() + 90 * 86_400_000),
    },
  ];
  for (const key of keys) await createApiKey({ db, clock }, admin, { ...key, agentId: "", issuerIds: [] });
}

async function declareRenewalPolicies({ db }: World): Promise<void> {
  const channels = (events: string[], thresholdsDays: number[]) =>
    notifiers.map(({ id }) => ({ notifierId: id, events, thresholdsDays }));
  await createRenewalPolicy(db, admin, {
    id: "rp-fast",
    name: "Early and often",
    renewalWindowDays: 20,
    maxRetries: 6,
    alertThresholdsDays: [14, 7, 1],
    channels: channels(everything, [14, 7, 1]),
  });
  await createRenewalPolicy(db, admin, {
    id: "rp-manual",
    name: "By hand",
    renewalWindowDays: 30,
    autoRenew: false,
    alertThresholdsDays: [30, 14, 7, 0],
    channels: channels(["RenewalFailed"], [30, 14, 7, 0]),
  });
}

/** Its API key. */
async function declareAgent({ db }: World, id: string, hostname: string): Promise<string> {
  const { apiKey } = await registerAgent(db, admin, { id, name: hostname.split(".")[0] ?? id });
  const capabilities = ["target.nginx/1", "target.files/1"];
  await db.agent.update({
    where: { id },
    data: { hostname, version: "0.1.0", capabilities, sessionEpoch: 1, maxInFlight: 50 },
  });
  return apiKey;
}

/** What people did on a day: declare, have issued or renewed, archive. */
export async function doAsPeople(world: World, day: number): Promise<void> {
  for (const certificate of certificates) {
    const id = `mc-${certificate.name}`;
    const actor = person(certificate.owner.slice(2));
    if (certificate.createdOn === day) await declareCertificate(world, certificate);
    if (certificate.renewedOn.includes(day)) await renewCertificate(world, actor, id);
    if (day >= (certificate.archivedOn ?? Number.POSITIVE_INFINITY)) await archiveIdle(world, actor, id);
  }
}

/** On the first day on which nothing is open for it. */
async function archiveIdle(world: World, actor: Actor, id: string): Promise<void> {
  const { archivedAt } = await world.db.managedCertificate.findUniqueOrThrow({ where: { id } });
  const open = await world.db.job.count({ where: { certificateId: id, status: { in: [...openStatuses] } } });
  if (archivedAt === null && open === 0) await archiveCertificate(world, actor, id);
}

async function declareCertificate(world: World, certificate: DemoCertificate): Promise<void> {
  const { name, agent, owner, environment, isUntidy } = certificate;
  const actor = person(owner.slice(2));
  const targetId = `tgt-${name}`;
  const target = { id: targetId, name, kind: "nginx", agentId: agent, config: { entry: name } };
  await createTarget(world, actor, target);
  const domain = isUntidy ? `${name}.old-brand.example` : `${name}.certctl.example`;
  const teamId = owners.find(([id]) => id === owner)?.[2] ?? "";
  await createCertificate(world, actor, `mc-${name}`, {
    name,
    commonName: domain,
    sans: name === "shop" ? [domain, "basket.certctl.example"] : [],
    issuerId: "",
    agentId: "",
    targetIds: [targetId],
    keyAlgorithm: certificate.keyAlgorithm,
    validitySeconds: certificate.validityDays * 86_400,
    environment,
    ownerId: isUntidy ? "" : owner,
    teamId: isUntidy ? "" : teamId,
    renewalPolicyId: certificate.policy,
    tags: isUntidy ? {} : { service: name, cost: teamId.slice(2) },
  });
}
