import type { JsonObject } from "@bufbuild/protobuf";
import { openConfig } from "../issuers/manage.ts";
import { type IssuanceRecord, recordIssuances } from "../issuers/record.ts";
import { enqueue } from "../jobs/queue.ts";
import { groupCommit } from "../platform/group-commit.ts";
import type { Csr } from "../x509/csr.ts";
import { acceptCsrs, readSubmission, type Submitter } from "./accept-csr.ts";
import type { AcceptedJob, Submission } from "./accept-within.ts";
import { askAtOnce, issuanceContext, requireIssuer } from "./ask-issuer.ts";
import type { IssueDeps } from "./issue.ts";
import { type Publication, publishAll } from "./publish.ts";

/** What comes together shares a commit; two at a time keep both the database and this process at work. */
const groups = { mostItems: 64, mostGroups: 2 };

/** Takes the CSRs of agents, and has certctl's own CAs sign them at once. */
export interface Signing extends AsyncDisposable {
  /** As acceptCsr does. Settles once the CSR is accepted; it is signed after that. */
  submit(caller: Submitter, request: { jobId: string; leaseId: string; csrPem: string }): Promise<string>;
}

/**
 * The way from a CSR to a version for issuers that sign without asking anybody: accepted, recorded, signed and published by the
 * process that took the CSR, in three commits that are shared by what comes at the same time. Whatever goes wrong after the CSR
 * was accepted is left to the task `issue`; if this process dies, the sweep enqueues it.
 */
export function createSigning(deps: IssueDeps, signal: AbortSignal): Signing {
  const { db, sealer, issuerKinds, clock, log } = deps;
  const signsAtOnce = (kind: string) => issuerKinds.get(kind)?.isRepeatable === true;
  const accept = groupCommit((items: readonly Submission[]) => acceptCsrs(db, items, signsAtOnce), groups);
  const record = groupCommit((items: readonly IssuanceRecord[]) => recordIssuances(db, items), groups);
  const publish = groupCommit((items: readonly Publication[]) => publishAll(deps, items), groups);
  const underWay = new Set<Promise<void>>();

  async function sign(job: AcceptedJob, csr: Csr): Promise<void> {
    const issuer = requireIssuer(issuerKinds, job.issuer);
    const sans = csr.sans.map(({ value }) => value);
    const request = {
      keyId: job.keyId,
      commonName: sans.includes(job.commonName) ? job.commonName : "",
      sans,
      csr: csr.der,
      validitySeconds: job.validitySeconds,
      now: clock(),
      replaces: null,
    };
    const context = {
      ...issuanceContext(deps, job, job.issuer.id, signal),
      record: (keyId: string, next: Omit<IssuanceRecord, "jobId" | "keyId">) =>
        record({ jobId: job.id, keyId, ...next }),
    };
    const config = openConfig(sealer, { id: job.issuer.id, config: job.issuer.config as JsonObject });
    const issued = await askAtOnce(issuer, request, config, context);
    await publish({ job, issued: { ...issued, issuerId: job.issuer.id, sans } });
  }

  function start(job: AcceptedJob, csr: Csr): void {
    const work = sign(job, csr).catch(async (error: unknown) => {
      log.warn({ err: error, jobId: job.id }, "a CSR was not signed at once");
      await db.$transaction((tx) => enqueue(tx, "issue", job.id));
    });
    const done = work.catch((error: unknown) =>
      log.error({ err: error, jobId: job.id }, "a signing waits for the sweep"),
    );
    underWay.add(done);
    void done.finally(() => underWay.delete(done));
  }

  return {
    async submit(caller, request) {
      const submission = readSubmission(caller, request);
      const job = await accept(submission);
      if (job && signsAtOnce(job.issuer.kind)) start(job, submission.csr);
      return submission.hash;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(underWay);
    },
  };
}
