import { Client } from "pg";
import { expect } from "vitest";
import { authorityCases, lostCertificate } from "./authority-cases.ts";
import { newCsr } from "./fixtures.ts";
import type { System } from "./system.ts";

/** What the cases may refer to: things that are there before any of them runs. */
export interface Stage {
  system: System;
  /** An agent that works, and one that a case may speak for. */
  agentId: string;
  silentAgent: { id: string; apiKey: string };
  /** An issued certificate and its finished job. */
  certificateId: string;
  jobId: string;
}

/** How an operation is called, and with which documented status it answers. */
export interface Case {
  /** The path's variables. An id that is left out is that of a new resource. */
  path?: Record<string, string>;
  query?: string;
  body?: unknown;
  /** Speaks for the silent agent instead of the admin. */
  isAgent?: boolean;
  headers?: Record<string, string>;
  /** 2xx when left out. */
  status?: number;
}

/** A webhook at which nobody listens: what is sent to it is not delivered, and the test says so. */
const webhook = { url: "https://localhost:9/hook", secret: "0123456789abcdef" };
const csr = () => newCsr(["case.example.test"]).csrPem;

type Body = Record<string, unknown>;

/**
 * What creates a resource, by the first part of its path. Reading, replacing, deleting and restoring it need no case: what was
 * created is read, written back as it was read, deleted, and restored after that.
 */
export const creations: Record<string, (name: string, stage: Stage) => Body | Promise<Body>> = {
  agents: (name) => ({ name }),
  "api-keys": (name) => ({ name, role: "viewer" }),
  authorities: (name) => ({ name }),
  certificates: (name, { agentId }) => ({ name, common_name: `${name}.example.test`, agent_id: agentId }),
  "join-tokens": () => ({}),
  "recovered-certificates": (name, stage) => lostCertificate(name, stage),
  owners: (name) => ({ name, email: `${name}@example.test` }),
  issuers: (name) => ({ name, kind: "local-ca", config: {} }),
  notifiers: (name) => ({ name, kind: "webhook", config: webhook }),
  policies: (name) => ({ name, type: "CertificateLifetime", config: { max_days: 400 } }),
  "renewal-policies": (name) => ({ name }),
  operations: () => ({ kind: "Renew", filter: { q: "nothing-like-it" } }),
  "saved-views": (name) => ({ name, query: "status=Expiring" }),
  teams: (name) => ({ name }),
  targets: (name, { agentId }) => ({ name, kind: "files", agent_id: agentId, config: { entry: name } }),
};

/** A job that waits for an agent that never comes. */
async function openJob({ system, silentAgent }: Stage): Promise<string> {
  const name = `waiting-${Math.random().toString(36).slice(2)}`;
  const wanted = { name, common_name: "waiting.example.test", agent_id: silentAgent.id };
  const { body: certificate } = await system.rest("POST", "/api/v1/certificates", wanted);
  const { body } = await system.rest("POST", `/api/v1/certificates/${certificate.id}/renew`);
  return body.job_id;
}

/** A notification that could not be sent. */
async function failedNotification({ system, agentId }: Stage): Promise<string> {
  const name = `told-${Math.random().toString(36).slice(2)}`;
  const make = async (path: string, body: object) =>
    (await system.rest("POST", `/api/v1/${path}`, body)).body.id;
  const notifier = await make("notifiers", { name, kind: "webhook", config: webhook });
  const channels = [{ notifier_id: notifier, events: ["CertificateIssued"] }];
  const policy = await make("renewal-policies", { name, channels });
  const wanted = { name, common_name: "told.example.test", agent_id: agentId, renewal_policy_id: policy };
  await system.renew(await make("certificates", wanted));
  const query = `/api/v1/notifications?notifier_id=${notifier}&status=failed`;
  await expect.poll(async () => (await system.rest("GET", query)).body.total).toBe(1);
  return (await system.rest("GET", query)).body.data[0].id;
}

/** What was said of one problem. */
async function notificationGroup(stage: Stage): Promise<string> {
  const id = await failedNotification(stage);
  return (await stage.system.rest("GET", `/api/v1/notifications/${id}`)).body.group;
}

/** An operation that has nothing to do and ends at once. */
async function endedOperation({ system }: Stage): Promise<string> {
  const wanted = { kind: "Renew", filter: { q: "nothing-like-it" } };
  const { body } = await system.rest("POST", "/api/v1/operations", wanted);
  for (;;) {
    const { body: now } = await system.rest("GET", `/api/v1/operations/${body.id}`);
    if (now.status === "Completed") return body.id;
  }
}

/** An operation that waits for a person's yes, as the renewal checker leaves one. */
async function heldOperation({ system }: Stage): Promise<string> {
  const id = `op-held-${Math.random().toString(36).slice(2)}`;
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  await client.query("UPDATE operations SET status = 'Cancelled' WHERE status = 'AwaitingApproval'");
  await client.query(
    `INSERT INTO operations (id, kind, status, filter, changes, created_by, created_type)
     VALUES ($1, 'EarlyRenewals', 'AwaitingApproval', '{}', '{}', 'system', 'System')`,
    [id],
  );
  await client.end();
  return id;
}

/** What a browser that is signed in sends along. */
async function signedIn({ system }: Stage): Promise<Record<string, string>> {
  const { headers } = await system.rest("POST", "/api/v1/session", { api_key: system.adminKey });
  return { cookie: String(headers["set-cookie"]).split(";", 1)[0] ?? "", origin: system.url };
}

/** What a job failed for that an agent was lost with. */
async function causeOfFailure(stage: Stage): Promise<string> {
  const id = await openJob(stage);
  const step = `step_${Math.random().toString(36).slice(2)}`;
  const client = new Client({ connectionString: stage.system.databaseUrl });
  await client.connect();
  await client.query(
    "UPDATE jobs SET status = 'Failed', completed_at = now(), error_step = $2, failure_class = 'Network' WHERE id = $1",
    [id, step],
  );
  await client.end();
  const { body } = await stage.system.rest("GET", "/api/v1/jobs/causes");
  return body.data.find((cause: { step: string }) => cause.step === step).id;
}

/** The version that the issued certificate has. */
async function versionCase({ system, certificateId }: Stage): Promise<Case> {
  const { body } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  return { path: { id: certificateId, version_id: body.data[0].id } };
}

/** Every other call that is not a list, by its operation id. */
export const cases: Record<string, (stage: Stage) => Case | Promise<Case>> = {
  ...authorityCases,
  renewCertificate: () => ({ body: {} }),
  deployCertificate: () => ({ body: {}, status: 409 }),
  listCertificateVersions: ({ certificateId }) => ({ path: { id: certificateId } }),
  getCertificateVersion: versionCase,
  downloadCertificateVersion: async (stage) => ({ ...(await versionCase(stage)), query: "format=pkcs7" }),
  listCertificateDeployments: ({ certificateId }) => ({ path: { id: certificateId } }),
  listCertificateJourneys: ({ certificateId }) => ({ path: { id: certificateId } }),
  getCertificateJourney: ({ certificateId }) => ({ path: { id: certificateId } }),
  watchCertificateJourney: ({ certificateId }) => ({ path: { id: certificateId } }),
  explainCertificate: ({ certificateId }) => ({ path: { id: certificateId } }),
  countJobs: () => ({}),
  retryJobs: async (stage) => ({ body: { cause_id: await causeOfFailure(stage) } }),
  testTarget: () => ({ body: {} }),
  testTargetConfig: ({ agentId }) => ({
    path: { kind: "files" },
    body: { agent_id: agentId, config: { entry: "none" } },
  }),
  reportChallenge: () => ({ path: { challenge_id: "ch-none" }, body: {}, isAgent: true }),
  reportProbe: () => ({ path: { probe_id: "probe-none" }, body: {}, isAgent: true }),
  getJob: ({ jobId }) => ({ path: { id: jobId } }),
  // An endless stream is called by a test of its own; here it says what it refuses.
  watchJobs: () => ({ query: "status=Sleepy", status: 400 }),
  watch: () => ({ query: `after_cursor=${"x".repeat(129)}`, status: 400 }),
  cancelJob: async (stage) => ({ path: { id: await openJob(stage) }, body: {} }),
  retryJob: async (stage) => {
    const id = await openJob(stage);
    await stage.system.rest("POST", `/api/v1/jobs/${id}/cancel`);
    return { path: { id }, body: {} };
  },
  dryRunOperation: () => ({ body: { kind: "Archive", filter: { q: "nothing-like-it" } } }),
  approveOperation: async (stage) => ({ path: { id: await heldOperation(stage) }, body: {} }),
  pauseOperation: async (stage) => ({ path: { id: await endedOperation(stage) }, body: {}, status: 409 }),
  resumeOperation: async (stage) => ({ path: { id: await endedOperation(stage) }, body: {}, status: 409 }),
  cancelOperation: async (stage) => ({ path: { id: await heldOperation(stage) }, body: {} }),
  getOperation: async (stage) => ({ path: { id: await endedOperation(stage) } }),
  listOperationItems: async (stage) => ({ path: { id: await endedOperation(stage) } }),
  setIssuerStandby: async ({ system }) => {
    const wanted = { name: `standby-${Math.random()}`, kind: "local-ca", config: {} };
    const { body } = await system.rest("POST", "/api/v1/issuers", wanted);
    return { body: { standby_issuer_id: body.id } };
  },
  // The case's issuer is a local CA.
  changeIssuerAccountKey: () => ({ body: {}, status: 409 }),
  closeIssuerAccount: () => ({ body: {}, status: 409 }),
  validateCertificate: () => ({ body: {}, status: 409 }),
  revokeCertificate: async ({ system, agentId }) => {
    const wanted = { name: `gone-${Math.random()}`, common_name: "gone.example.test", agent_id: agentId };
    const { body } = await system.rest("POST", "/api/v1/certificates", wanted);
    await system.renew(body.id);
    return { path: { id: body.id }, body: { reason: "CessationOfOperation", force: true } };
  },
  watchJob: ({ jobId }) => ({ path: { id: jobId } }),
  retireAgent: () => ({ body: { force: true, reason: "a case" } }),
  runScheduledTask: async ({ system }) => {
    const { body } = await system.rest("GET", "/api/v1/scheduler");
    return { path: { name: body.data[0].name }, body: {} };
  },
  createSession: ({ system }) => ({ body: { api_key: system.adminKey } }),
  deleteSession: async (stage) => ({ headers: await signedIn(stage) }),
  rotateApiKey: () => ({ body: {} }),
  expireApiKey: () => ({ body: {} }),
  getAuditEvent: async ({ system }) => {
    const { body } = await system.rest("GET", "/api/v1/audit?per_page=1");
    return { path: { id: body.data[0].id } };
  },
  dryRunPolicyRule: () => ({ body: { type: "CertificateLifetime", config: { max_days: 40 } } }),
  testNotifier: () => ({ body: {} }),
  testNotifierConfig: () => ({ path: { kind: "webhook" }, body: { config: webhook } }),
  getNotification: async (stage) => ({ path: { id: await failedNotification(stage) } }),
  acknowledgeNotificationGroups: async (stage) => ({ body: { id: [await notificationGroup(stage)] } }),
  snoozeNotificationGroups: async (stage) => ({
    body: { id: [await notificationGroup(stage)], until: new Date(Date.now() + 86_400_000).toISOString() },
  }),
  markNotificationRead: async (stage) => ({ path: { id: await failedNotification(stage) }, body: {} }),
  markNotificationsRead: () => ({ body: {} }),
  requeueNotification: async (stage) => ({ path: { id: await failedNotification(stage) }, body: {} }),
  listIssuerOrders: ({ jobId }) => ({ query: `job_id=${jobId}` }),
  getIssuerBudget: () => ({}),
  getIssuerAccount: () => ({}),
  testIssuer: () => ({ body: {} }),
  testIssuerConfig: () => ({ path: { kind: "local-ca" }, body: { config: {} } }),
  enroll: () => ({ body: { token: "jt-nobody_x", csr_pem: csr() }, status: 401 }),
  renewIdentity: () => ({ body: { csr_pem: "none" }, isAgent: true, status: 400 }),
  heartbeat: () => ({ body: { epoch: 0 }, isAgent: true }),
  submitCsr: ({ jobId }) => ({ body: { job_id: jobId, csr_pem: csr() }, isAgent: true, status: 409 }),
  reportProgress: ({ jobId }) => ({ path: { job_id: jobId }, body: {}, isAgent: true, status: 409 }),
  reportResult: ({ jobId }) => ({
    path: { job_id: jobId },
    body: { failed: { step: "key", message: "none", retryable: false } },
    isAgent: true,
    status: 409,
  }),
};
