import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Certificate, CertificateStatus } from "#gen/certctl/v1/certificates_pb.ts";
import { type Job, JobOutcome } from "#gen/certctl/v1/jobs_pb.ts";
import { sampleAgentId, sampleEntry } from "./agent-process.ts";
import type { Api } from "./api.ts";

const certificateId = "mc-demo";
const targetId = "tgt-sample";

/** Declares the sample's certificate and target where they are missing. Null: somebody archived the certificate. */
export async function declareSample(api: Api): Promise<Certificate | null> {
  const declared = await unlessMissing(api.certificates.getCertificate({ id: certificateId }));
  if (declared?.certificate) return declared.certificate.archivedAt ? null : declared.certificate;
  if (!(await unlessMissing(api.targets.getTarget({ id: targetId })))) {
    await api.targets.createTarget({
      id: targetId,
      name: "Sample workload",
      kind: "files",
      agentId: sampleAgentId,
      config: { entry: sampleEntry },
    });
  }
  const { certificate } = await api.certificates.createCertificate({
    id: certificateId,
    name: "Sample",
    commonName: "demo.localhost",
    sans: ["demo.localhost", "localhost", "127.0.0.1"],
    targetIds: [targetId],
  });
  return certificate ?? null;
}

/**
 * Has the sample's certificate issued, or proven again if it still holds, and tells each step as it happens. Returns the
 * job that did it.
 */
export async function tellStory(
  api: Api,
  certificate: Certificate,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Job> {
  const { jobId } = await request(api, certificate);
  let told = 0;
  let last: Job | undefined;
  let start: number | undefined;
  for await (const { job } of api.jobs.watchJob({ id: jobId }, { signal })) {
    if (!job) continue;
    for (const { at, step, message } of job.timeline.slice(told)) {
      const time = at ? timestampDate(at).getTime() : 0;
      start ??= time;
      say(
        `  ${((time - start) / 1000).toFixed(2).padStart(6)} s  ${step.replaceAll("_", " ").padEnd(14)} ${message}`.trimEnd(),
      );
    }
    told = job.timeline.length;
    last = job;
  }
  if (!last) throw new Error(`job ${jobId} could not be watched`);
  return last;
}

/** Why a job did not end in a proof, or null. */
export function shortfall(job: Job): string | null {
  if (job.outcome === JobOutcome.PROVEN) return null;
  return job.timeline.findLast(({ step }) => step === "failed")?.message ?? "the job ended without a proof";
}

async function request(api: Api, { status, activeJobId }: Certificate): Promise<{ jobId: string }> {
  if (activeJobId) return { jobId: activeJobId };
  const isValid = status === CertificateStatus.ACTIVE;
  if (isValid) return api.certificates.deployCertificate({ id: certificateId, targetIds: [targetId] });
  return api.certificates.renewCertificate({ id: certificateId });
}

async function unlessMissing<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return null;
    throw error;
  }
}
