import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Job, JobOutcome } from "#gen/certctl/v1/jobs_pb.ts";
import type { Api } from "../src/sample/api.ts";
import { probe } from "../src/targets/probe.ts";

/** Where a renewal is seen on the wire. */
export interface Site {
  endpoint: string;
  serverName: string;
}

/** One renewal, in milliseconds from the moment when it was asked for. */
export interface Renewal {
  /** Until a handshake showed the new certificate. */
  servedMs: number;
  /** Until the API said that the job is proven. */
  provenMs: number;
  /** What passed before each step, in order: "issued" is the time from "csr accepted" on. */
  steps: { name: string; ms: number }[];
}

/** Time for the work between two handshakes: one after the other without a pause would take a core from it. */
const betweenHandshakesMs = 5;

/** Renews once and waits until the new certificate is served and its job is proven. */
export async function renewOnce(
  { api, certificateId, site }: { api: Api; certificateId: string; site: Site },
  signal: AbortSignal,
): Promise<Renewal> {
  const before = await fingerprint(site, signal);
  const askedAt = Date.now();
  const startedMs = performance.now();
  const [{ jobId }, servedMs] = await Promise.all([
    api.certificates.renewCertificate({ id: certificateId }, { signal }),
    untilServed(site, before, signal).then(() => performance.now() - startedMs),
  ]);
  // Only now: each change of a watched job is read again and sent, which is work beside the renewal.
  const job = await ended(api, jobId, signal);
  const provenMs = performance.now() - startedMs;
  return { servedMs, provenMs, steps: stepsOf(job, askedAt, provenMs) };
}

async function untilServed(site: Site, before: string, signal: AbortSignal): Promise<void> {
  while ((await fingerprint(site, signal).catch(() => before)) === before) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, betweenHandshakesMs));
  }
}

async function fingerprint({ endpoint, serverName }: Site, signal: AbortSignal): Promise<string> {
  return (await probe(endpoint, { serverName, rootPem: null, signal })).fingerprintSha256;
}

async function ended(api: Api, jobId: string, signal: AbortSignal): Promise<Job> {
  let last: Job | undefined;
  for await (const { job } of api.jobs.watchJob({ id: jobId }, { signal })) last = job ?? last;
  if (last?.outcome !== JobOutcome.PROVEN) throw new Error(`job ${jobId} was not proven`);
  return last;
}

function stepsOf({ id, timeline }: Job, askedAt: number, provenMs: number): Renewal["steps"] {
  const events = timeline
    .map(({ at, step, jobId }) => ({
      name: `${jobId === id ? "certificate" : "deployment"} ${step.replaceAll("_", " ")}`,
      atMs: (at ? timestampDate(at).getTime() : 0) - askedAt,
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const all = [...events, { name: "proof told by the API", atMs: provenMs }];
  return all.map(({ name, atMs }, index) => ({ name, ms: atMs - (all[index - 1]?.atMs ?? 0) }));
}
