import type { JsonObject } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { issue } from "../src/certificates/issue.ts";
import { performRevocation } from "../src/certificates/perform-revocation.ts";
import { revokeCertificate } from "../src/certificates/revoke.ts";
import {
  type IssueRequest,
  IssuerError,
  type RefusalContext,
  type RevocationReason,
} from "../src/issuers/issuer.ts";
import { createIssuer } from "../src/issuers/manage.ts";
import { advanceJob } from "../src/jobs/sweep.ts";
import { newId } from "../src/platform/ids.ts";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  newCsr,
  openIssuance,
  operator,
  submitCsr,
} from "./fixtures.ts";
import { issueRequest } from "./issuer-context.ts";

const { signal } = new AbortController();

/** A request of an agent for a new key, as the core makes it of an accepted CSR without a common name. */
export function requestAt(now: Date, changes: Partial<IssueRequest> = {}): IssueRequest {
  const sans = changes.sans ?? ["site.example", "www.site.example"];
  return issueRequest(sans, { commonName: "", now, ...changes });
}

/** What a connector gets to refuse by. */
export const refusalContext: RefusalContext = {
  trustDomain: "",
  ownNames: [],
  signingCa: null,
  pkiUrl: null,
};

/** The IssuerError that a call ends with. Fails when it does not. */
export async function failureOf(call: Promise<unknown>): Promise<IssuerError> {
  const error = await call.then(
    () => new Error("the call did not fail"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof IssuerError)) throw error;
  return error;
}

/** A certificate of an issuer, with its CSR accepted: what is left is to ask the CA. */
export async function orderedCertificate(
  plane: ControlPlane,
  { kind, config }: { kind: string; config: JsonObject },
): Promise<{ certificateId: string; jobId: string; issuerId: string }> {
  const wanted = { id: "", name: newId("name"), kind, config, enabled: true };
  const issuerId = await createIssuer(plane, operator, wanted);
  const agent = await newAgent(plane);
  const certificateId = await newCertificate(plane, { agentId: agent.id, issuerId });
  const job = await openIssuance(plane, agent, certificateId);
  await submitCsr(plane, agent, job, newCsr(["site.example"]));
  return { certificateId, jobId: job.id, issuerId };
}

/** Asks the CA for a job that waits, or waits to be tried again; returns what became of the job. */
export async function askAgain(plane: ControlPlane, jobId: string, afterMs = 0) {
  plane.time.now = new Date(plane.time.now.getTime() + afterMs);
  await advanceJob(plane.db, jobId, plane.time.now);
  await issue(plane, jobId, signal);
  return plane.db.job.findUniqueOrThrow({ where: { id: jobId }, include: { orders: true } });
}

/** Has the issued version of a certificate revoked, by a job; returns its serial number. */
export async function revokeVersion(
  plane: ControlPlane,
  certificateId: string,
  reason: RevocationReason,
): Promise<string> {
  const wish = { id: certificateId, versionId: "", reason, force: true };
  const [jobId = ""] = await revokeCertificate(plane, operator, wish);
  await performRevocation(plane, jobId, signal);
  const job = await plane.db.job.findUniqueOrThrow({ where: { id: jobId }, include: { version: true } });
  expect(job).toMatchObject({ status: "Completed", errorMessage: "" });
  expect(job.version).toMatchObject({ revocationReason: reason });
  return job.version?.serial ?? "";
}
