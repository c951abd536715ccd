// Renews a certificate, follows the job and ends with its outcome: node docs/examples/renew.ts mc-shop
import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { JobOutcome, JobService } from "#gen/certctl/v1/jobs_pb.ts";

const { CERTCTL_URL = "https://localhost:8443", CERTCTL_CA = "", CERTCTL_API_KEY = "" } = process.env;
const [id = ""] = process.argv.slice(2);

const transport = createConnectTransport({
  baseUrl: CERTCTL_URL,
  httpVersion: "2",
  nodeOptions: { ca: readFileSync(CERTCTL_CA) },
  interceptors: [
    (next) => (request) => {
      request.header.set("authorization", `Bearer ${CERTCTL_API_KEY}`);
      return next(request);
    },
  ],
});
const certificates = createClient(CertificateService, transport);
const jobs = createClient(JobService, transport);

const { jobId } = await certificates.renewCertificate({ id });
let outcome: JobOutcome | undefined;
for await (const { job } of jobs.watchJob({ id: jobId })) {
  const step = job?.timeline.at(-1);
  process.stdout.write(`${step?.step} ${step?.message}\n`);
  outcome = job?.outcome;
}
const { certificate } = await certificates.getCertificate({ id });
process.stdout.write(`${certificate?.name} serves until ${certificate?.expiresAt?.seconds} (Unix time)\n`);
process.exit(outcome === JobOutcome.PROVEN || outcome === JobOutcome.ISSUED ? 0 : 1);
