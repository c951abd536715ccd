import type { ConnectRouter } from "@connectrpc/connect";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";

/** Implementations that answer with what they were asked. */
export function echoRoutes(router: ConnectRouter): void {
  router.service(CertificateService, {
    listCertificates: ({ page, perPage, status }) => ({
      data: status.map((each) => ({ id: "mc-1", status: each })),
      page,
      perPage,
    }),
    getCertificate: ({ id }) => ({ certificate: { id } }),
    createCertificate: ({ $typeName: _, ...request }) => ({
      certificate: { ...request, id: request.id || "mc/made" },
    }),
    updateCertificate: ({ $typeName: _, ...request }) => ({ certificate: request }),
    deleteCertificate: () => ({}),
    renewCertificate: ({ id }) => ({ status: "accepted", jobId: `job-of-${id}` }),
    listCertificateVersions: () => ({}),
  });
  router.service(TargetService, {
    createTarget: ({ $typeName: _, ...request }) => ({ target: { ...request, id: "tgt-1" } }),
  });
  router.service(AgentWorkService, {
    heartbeat: ({ agentId }) => ({ destroyKeyIds: [agentId] }),
    enroll: () => ({ agentId: "ag-1" }),
  });
}
