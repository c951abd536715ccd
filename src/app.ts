import { join } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { ApiKeyService } from "#gen/certctl/v1/api_keys_pb.ts";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { AuthorityService } from "#gen/certctl/v1/authorities_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { DemoKeyService } from "#gen/certctl/v1/demo_keys_pb.ts";
import { EventService } from "#gen/certctl/v1/events_pb.ts";
import { ExplanationService } from "#gen/certctl/v1/explain_pb.ts";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { JourneyService } from "#gen/certctl/v1/journeys_pb.ts";
import { NotificationService } from "#gen/certctl/v1/notifications_pb.ts";
import { NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { OperationService } from "#gen/certctl/v1/operations_pb.ts";
import { OwnerService } from "#gen/certctl/v1/owners_pb.ts";
import { PolicyService } from "#gen/certctl/v1/policies_pb.ts";
import { RecoveredCertificateService } from "#gen/certctl/v1/recovered_certificates_pb.ts";
import { RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { SavedViewService } from "#gen/certctl/v1/saved_views_pb.ts";
import { SchedulerService } from "#gen/certctl/v1/scheduler_pb.ts";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { StatsService } from "#gen/certctl/v1/stats_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { TrustMapService } from "#gen/certctl/v1/trust_map_pb.ts";
import packageJson from "../package.json" with { type: "json" };
import { agentService } from "./agents/rpc.ts";
import { createSessions } from "./agents/sessions.ts";
import { agentWorkService } from "./agents/work-rpc.ts";
import { ensureAdminKey } from "./api-keys/first-key.ts";
import { apiKeyService } from "./api-keys/rpc.ts";
import { openAuditKey } from "./audit/key.ts";
import { auditService } from "./audit/rpc.ts";
import { requireDeclaredAccess } from "./auth/access.ts";
import type { Authorities } from "./authorities/authority.ts";
import { authorityPem } from "./authorities/authority.ts";
import { createIssuingAuthorities } from "./authorities/issuing.ts";
import { authorityService } from "./authorities/rpc.ts";
import { openAuthorities } from "./authorities/store.ts";
import { issue } from "./certificates/issue.ts";
import { performRevocation } from "./certificates/perform-revocation.ts";
import { certificateService } from "./certificates/rpc.ts";
import { createSigning } from "./certificates/signing.ts";
import { createAskAgent } from "./challenges/ask-agent.ts";
import { challengeRoute } from "./challenges/http-route.ts";
import type { Config } from "./config.ts";
import { createDashboard } from "./dashboard/serve.ts";
import { makeServerKey } from "./demo-keys/make.ts";
import { demoKeyService } from "./demo-keys/rpc.ts";
import { createEdge } from "./edge.ts";
import { createFeed } from "./events/feed.ts";
import { eventService } from "./events/rpc.ts";
import { explanationService } from "./explain/rpc.ts";
import { issuerByKind } from "./issuers/registry.ts";
import { issuerService } from "./issuers/rpc.ts";
import { migrateQueue, startQueue } from "./jobs/queue.ts";
import { jobService } from "./jobs/rpc.ts";
import { advanceJob, sweepJobs } from "./jobs/sweep.ts";
import { journeyService } from "./journeys/rpc.ts";
import { deliver } from "./notifications/deliver.ts";
import { notificationService } from "./notifications/rpc.ts";
import { notifierService } from "./notifiers/rpc.ts";
import { operationService } from "./operations/rpc.ts";
import { resumeOperations, runOperation } from "./operations/run.ts";
import { ownerService } from "./owners/rpc.ts";
import { type PkiRoute, startPkiListener } from "./pki/listener.ts";
import { createBuckets } from "./platform/buckets.ts";
import { openBus } from "./platform/bus.ts";
import type { Clock } from "./platform/clock.ts";
import { writeAtomically } from "./platform/data-dir.ts";
import { openDatabase } from "./platform/database.ts";
import { createEgress } from "./platform/egress.ts";
import { openToken } from "./platform/hardware-token.ts";
import { createHealth } from "./platform/health.ts";
import type { Log } from "./platform/log.ts";
import { migrate } from "./platform/migrate.ts";
import { joinReplicas } from "./platform/replica.ts";
import type { Sealer } from "./platform/seal.ts";
import { policyService } from "./policies/rpc.ts";
import { recoveredCertificateService } from "./recovered-certificates/rpc.ts";
import { renewalPolicyService } from "./renewal-policies/rpc.ts";
import { renewalService } from "./renewals/rpc.ts";
import { rebuildCrl } from "./revocation/crl.ts";
import { revocationRoutes } from "./revocation/routes.ts";
import { savedViewService } from "./saved-views/rpc.ts";
import { scheduledTasks } from "./scheduled.ts";
import { schedulerService } from "./scheduler/rpc.ts";
import { startScheduler } from "./scheduler/scheduler.ts";
import { requireOpenable } from "./sealed-values/check.ts";
import { serverNames, startSecureListener } from "./secure-listener.ts";
import { serverCommands } from "./server-commands/server-commands.ts";
import { sessionService } from "./sessions/rpc.ts";
import { statsService } from "./stats/rpc.ts";
import { targetService } from "./targets/rpc.ts";
import { teamService } from "./teams/rpc.ts";
import { trustMapService } from "./trust-map/rpc.ts";
import { isLoopback } from "./x509/names.ts";

export interface App {
  /** Where the API answers on this machine: https://localhost:8443. */
  url: string;
  authorities: Authorities;
  /** Stops taking work, lets agents and requests go, and closes everything. */
  close(): Promise<void>;
}

export interface AppOptions {
  config: Config;
  databaseUrl: string;
  sealer: Sealer;
  clock: Clock;
  log: Log;
}

const services = [
  CertificateService,
  AuthorityService,
  RecoveredCertificateService,
  JourneyService,
  ExplanationService,
  JobService,
  AgentService,
  AgentWorkService,
  IssuerService,
  TargetService,
  TeamService,
  OwnerService,
  NotifierService,
  NotificationService,
  PolicyService,
  RenewalPolicyService,
  SchedulerService,
  OperationService,
  StatsService,
  RenewalService,
  SavedViewService,
  TrustMapService,
  ApiKeyService,
  SessionService,
  EventService,
  AuditService,
];

/** How often one network may have an OCSP answer signed for it alone. */
const ocspSignatures = { perSecond: 10, burst: 100 };

/** Builds every part of a control plane over a database, and starts it. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, databaseUrl, sealer, clock, log } = options;
  const isDemo = config.keygenMode === "server";
  requireDeclaredAccess(isDemo ? [...services, DemoKeyService] : services);
  await using starting = new AsyncDisposableStack();
  const stopping = new AbortController();

  await migrate(databaseUrl, { log });
  const { db, pool } = starting.use(
    openDatabase(databaseUrl, (error) => log.warn({ err: error }, "a database connection broke")),
  );
  await migrateQueue(pool);
  await requireOpenable(db, sealer);
  const authorities = await openAuthorities(db, sealer, clock());
  const token = config.token && starting.use(await openToken(config.token));
  const issuing = createIssuingAuthorities(db, sealer, config.pki.url, token);
  await db.installation.updateMany({ data: { keygenMode: config.keygenMode } });
  if (isDemo)
    log.warn(
      "CERTCTL_KEYGEN_MODE is server: private keys are made in the control plane; for demonstrations only",
    );
  const auditKey = await openAuditKey(db, sealer);
  const issuerKinds = issuerByKind;
  const egress = createEgress(config.egressAllow);
  const commands = serverCommands(config.serverFile);
  await ensureAdminKey(db, config.dataDir, clock());
  const systemRoot = authorities.byRole["system-root"];
  const own = (await issuing.list()).map(({ authority }) => authority);
  const roots = [systemRoot, ...own.filter(({ role }) => role === "issuing-root")];
  await writeAtomically(join(config.dataDir, "ca.pem"), roots.map(authorityPem).join(""), 0o644);

  const bus = starting.use(await openBus(databaseUrl, log));
  const feed = starting.use(createFeed(bus));
  const replica = starting.use(await joinReplicas(db, log));
  const sessions = starting.use(createSessions(bus, clock));
  const ownNames = serverNames(config).filter((name) => !isLoopback(name));
  const reserved = { trustDomain: authorities.trustDomain, ownNames, issuing };
  const askAgent = createAskAgent({ db, bus });
  const lent = { db, sealer, issuing, egress, commands, clock };
  const issuance = { ...lent, issuerKinds, askAgent, reserved, log };
  const signing = starting.use(createSigning(issuance, stopping.signal));
  const tasks = {
    issue: (jobId: string, signal: AbortSignal) => issue(issuance, jobId, signal),
    revoke: (jobId: string, signal: AbortSignal) => performRevocation(issuance, jobId, signal),
    crl: (authorityId: string) => rebuildCrl(lent, authorityId),
    advance: (jobId: string) => advanceJob(db, jobId, clock()),
    keygen: (jobId: string) => makeServerKey({ db, sealer, clock }, jobId),
    operate: (id: string, signal: AbortSignal) => runOperation({ db, issuerKinds, clock, log }, id, signal),
  };
  const queue = { pool, log, signal: stopping.signal };
  // Before anything is signed: a CA may ask here while it is.
  const buckets = createBuckets({ ...ocspSignatures, clock });
  const pkiRoutes: PkiRoute[] = [
    challengeRoute(db),
    ...revocationRoutes({ db, sealer, issuing, clock, buckets }),
  ];
  const { port: pkiPort, address } = config.pki;
  if (pkiPort !== undefined)
    starting.use(await startPkiListener({ port: pkiPort, address, routes: pkiRoutes, log }));
  starting.use(await startQueue({ ...queue, tasks, concurrency: 8 }));
  // Of their own, so that a mail server that hangs holds up no certificate.
  const sending = { db, sealer, egress, clock, log };
  const notify = (id: string, signal: AbortSignal) => deliver(sending, id, signal);
  starting.use(await startQueue({ ...queue, tasks: { notify }, concurrency: 4 }));
  // What an earlier process left is taken up at once.
  await sweepJobs(db, clock(), 0);
  await resumeOperations(db, 0);
  const { everyMs } = config;
  const scheduled = scheduledTasks({ ...lent, issuerKinds, askAgent, auditKey, log }, config);
  starting.use(await startScheduler({ db, bus, clock, log, replicaId: replica.id, tasks: scheduled }));

  // A demonstration shows what its guide says: RSA-2048.
  const defaultKeyAlgorithm = isDemo ? "RSA-2048" : "ECDSA-P256";
  const facts = { version: packageJson.version, keygenMode: config.keygenMode, authType: config.authType };
  const routes = (router: ConnectRouter): void => {
    const declaring = { db, clock, issuerKinds, reserved };
    router.service(CertificateService, certificateService({ ...declaring, defaultKeyAlgorithm }));
    if (isDemo) router.service(DemoKeyService, demoKeyService({ db, sealer }));
    router.service(JobService, jobService({ db, bus, clock }));
    const explaining = { db, clock, checkEveryMs: everyMs.renewals, jitterMs: config.renewals.jitterMs };
    router.service(ExplanationService, explanationService(explaining));
    router.service(JourneyService, journeyService({ db, bus, clock }));
    router.service(AgentService, agentService({ db, clock, systemRoot, serverUrl: config.serverUrl }));
    router.service(
      AgentWorkService,
      agentWorkService({
        db,
        bus,
        sessions,
        authorities,
        clock,
        signing,
        replicaId: replica.id,
        identityHours: config.agentIdentityHours,
      }),
    );
    router.service(AuthorityService, authorityService(lent));
    router.service(RecoveredCertificateService, recoveredCertificateService(lent));
    router.service(IssuerService, issuerService({ ...lent, issuerKinds }));
    router.service(TargetService, targetService({ db, bus, clock }));
    router.service(TeamService, teamService({ db, clock }));
    router.service(OwnerService, ownerService({ db, clock }));
    router.service(PolicyService, policyService({ db, clock }));
    router.service(NotificationService, notificationService({ db, clock }));
    router.service(NotifierService, notifierService({ db, sealer, egress, clock }));
    router.service(RenewalPolicyService, renewalPolicyService({ db, clock }));
    router.service(OperationService, operationService({ db, clock }));
    router.service(StatsService, statsService({ db, clock }));
    router.service(
      RenewalService,
      renewalService({ db, clock, early: config.renewals.early, issuerKinds, sealer }),
    );
    router.service(TrustMapService, trustMapService({ db, clock }));
    router.service(SavedViewService, savedViewService({ db, clock }));
    router.service(SchedulerService, schedulerService({ db, clock, tasks: scheduled }));
    router.service(ApiKeyService, apiKeyService({ db, clock }));
    router.service(SessionService, sessionService({ db, clock, server: facts }));
    router.service(EventService, eventService({ feed, clock }));
    router.service(AuditService, auditService({ db }));
  };

  const health = createHealth(pool);
  const shutdownSignal = stopping.signal;
  const handler = createEdge({
    db,
    config,
    authorities,
    health,
    dashboard: await createDashboard(join(import.meta.dirname, "../web/dist")),
    routes,
    clock,
    log,
    shutdownSignal,
  });
  const listener = await startSecureListener({ config, authorities, clock, log, handler });
  const parts = starting.move();
  return {
    url: listener.url,
    authorities,
    async close() {
      health.drain();
      // Agents leave first: until their streams are gone, what they report is still taken.
      await sessions.drain(config.drainGraceMs);
      await listener.close(config.drainGraceMs, () => stopping.abort());
      await parts.disposeAsync();
    },
  };
}
