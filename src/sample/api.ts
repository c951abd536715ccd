import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";

/** The operator's typed clients, as any program outside would make them. */
export interface Api {
  agents: Client<typeof AgentService>;
  certificates: Client<typeof CertificateService>;
  jobs: Client<typeof JobService>;
  targets: Client<typeof TargetService>;
}

/** Connects with the admin key and the roots that the data directory holds. */
export async function openApi(url: string, dataDir: string): Promise<Api> {
  const [apiKey, ca] = await Promise.all([
    readFile(join(dataDir, "admin.key"), "utf8"),
    readFile(join(dataDir, "ca.pem"), "utf8"),
  ]);
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "2",
    nodeOptions: { ca },
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${apiKey.trim()}`);
        return next(request);
      },
    ],
  });
  return {
    agents: createClient(AgentService, transport),
    certificates: createClient(CertificateService, transport),
    jobs: createClient(JobService, transport),
    targets: createClient(TargetService, transport),
  };
}
