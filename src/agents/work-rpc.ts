import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { agentOf, callerOf } from "../auth/interceptor.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { authorityPem } from "../authorities/authority.ts";
import type { Signing } from "../certificates/signing.ts";
import { answerChallenge } from "../challenges/ask-agent.ts";
import { leaseTtlMs } from "../jobs/lease.ts";
import { reportProgress, reportResult } from "../jobs/report.ts";
import type { Bus } from "../platform/bus.ts";
import { denied } from "../platform/errors.ts";
import { requestIdKey } from "../platform/request.ts";
import { type EnrollDeps, enroll, renewIdentity } from "./enroll.ts";
import { heartbeat } from "./heartbeat.ts";
import { answerProbe } from "./probe.ts";
import { type WorkStreamDeps, workStream } from "./work-stream.ts";

export interface AgentWorkDeps extends EnrollDeps, WorkStreamDeps {
  bus: Bus;
  signing: Pick<Signing, "submit">;
}

export function agentWorkService(deps: AgentWorkDeps): ServiceImpl<typeof AgentWorkService> {
  const { db, authorities, bus, clock, signing } = deps;
  const trustBundle = { version: 1, rootsPem: [authorityPem(authorities.byRole["system-root"])] };
  return {
    getTrustBundle() {
      return { trustBundle };
    },
    async enroll(request, context) {
      const joined = await enroll(deps, context.values.get(requestIdKey), request);
      return { ...joined, trustBundle };
    },
    async renewIdentity(request, context) {
      const principal = callingAgent(context, request.agentId);
      const certificatePem = await renewIdentity(
        deps,
        { principal, actor: callerOf(context) },
        request.csrPem,
      );
      return { certificatePem, trustBundle };
    },
    workStream(request, context) {
      return workStream(deps, agentOf(context), request, context.signal);
    },
    async heartbeat(request, context) {
      const { leases, ...answer } = await heartbeat(
        db,
        callingAgent(context, request.agentId).id,
        request,
        clock(),
      );
      return { ...answer, leases: leases.map((lease) => ({ ...lease, leaseTtlMs })) };
    },
    async submitCsr(request, context) {
      const principal = callingAgent(context, request.agentId);
      const csrSha256 = await signing.submit({ principal, actor: callerOf(context) }, request);
      return { status: "accepted", csrSha256 };
    },
    async reportProgress(request, context) {
      const job = await reportProgress(db, callingAgent(context, request.agentId).id, request);
      bus.tell("job", job.parentJobId ?? job.id);
      return { leaseTtlMs };
    },
    async reportProbe(request, context) {
      await answerProbe(db, callingAgent(context, request.agentId).id, request);
      return {};
    },
    async reportChallenge(request, context) {
      await answerChallenge(db, callingAgent(context, request.agentId).id, request);
      return {};
    },
    async reportResult(request, context) {
      callingAgent(context, request.agentId);
      const job = await reportResult(db, callerOf(context), request, clock());
      return { status: job.status };
    },
  };
}

/** The agent that calls; a request that names another is refused. */
function callingAgent(context: HandlerContext, named: string): AgentPrincipal {
  const principal = agentOf(context);
  if (named !== "" && named !== principal.id) throw denied(`${principal.id} may not act as ${named}`);
  return principal;
}
