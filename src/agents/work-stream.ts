import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type WorkStreamRequest,
  type WorkStreamResponse,
  WorkStreamResponseSchema,
} from "#gen/certctl/v1/agent_work_pb.ts";
import { requireInForce } from "../auth/authenticate.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { claim, type LeaseDecision, leaseTtlMs, renewLeases } from "../jobs/lease.ts";
import { reclaimFromRestarted } from "../jobs/reclaim.ts";
import { notify } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";
import { markBack } from "./health.ts";
import { storeHost } from "./host.ts";
import { pingIntervalMs, type Sessions } from "./sessions.ts";
import { workItem } from "./work-item.ts";

export interface WorkStreamDeps {
  db: Database;
  sessions: Sessions;
  replicaId: string;
  clock: () => Date;
}

type Content = NonNullable<MessageInitShape<typeof WorkStreamResponseSchema>["message"]>;

/** The only version of the protocol there is. */
const protocol = 1;
const heartbeatIntervalMs = 60_000;
const mostInFlight = 16;

/**
 * Pushes an agent's work to it. The jobs table is the truth and the stream only delivers: a stream that breaks loses
 * nothing, because what was not acknowledged is claimed again.
 */
export async function* workStream(
  deps: WorkStreamDeps,
  principal: AgentPrincipal,
  request: WorkStreamRequest,
  signal: AbortSignal,
): AsyncGenerator<WorkStreamResponse> {
  const { db, sessions, clock } = deps;
  if (request.protocolMin > protocol || request.protocolMax < protocol) {
    throw conflict("PROTOCOL_UNSUPPORTED", `this server speaks protocol ${protocol}; update the agent`);
  }
  const agentId = principal.id;
  const maxInFlight = Math.min(Math.max(request.maxInFlight, 1), mostInFlight);
  const { epoch, sessionId, leases } = await beginSession(deps, principal, { ...request, maxInFlight });
  const endsAt = principal.credential.notAfter;
  // In the map before the first claim: what is enqueued from here on wakes it, what was before is claimed.
  using session = sessions.open({ agentId, epoch, instanceId: request.instanceId, endsAt, signal });
  let sequence = 0;
  const say = (message: Content) => {
    sequence += 1;
    return create(WorkStreamResponseSchema, { sequence, serverTime: timestampFromDate(clock()), message });
  };
  try {
    const value = {
      sessionId,
      epoch,
      protocol,
      pingIntervalMs,
      heartbeatIntervalMs,
      reconnectWindowMs: sessions.reconnectWindowMs(),
      maxInFlight,
      leases: leases.map((lease) => ({ ...lease, leaseTtlMs })),
    };
    yield say({ case: "welcome", value });
    while (!signal.aborted) {
      if (session.ending) {
        yield say({ case: "drain", value: session.ending });
        return;
      }
      for (const lost of session.lostLeases.splice(0))
        yield say({ case: "lease", value: { ...lost, keep: false } });
      for (const { id: probeId, kind, config } of session.probes.splice(0))
        yield say({ case: "probe", value: { probeId, kind, config } });
      for (const { what, agentId: _agent, ...challenge } of session.challenges.splice(0))
        yield say({ case: "challenge", value: { ...challenge, clear: what === "clear" } });
      for (const claimed of await claim(db, { agentId, epoch }, clock())) {
        yield say({ case: "work", value: await workItem(db, claimed) });
      }
      if (session.isPingDue) {
        session.isPingDue = false;
        yield say({ case: "ping", value: {} });
      }
      await session.wakeup.wait(pingIntervalMs);
    }
  } finally {
    await db.agent.updateMany({ where: { id: agentId, sessionEpoch: epoch }, data: { sessionId: null } });
  }
}

/** Makes this the agent's newest session, and settles what becomes of the leases it had. */
async function beginSession(
  { db, replicaId, clock }: WorkStreamDeps,
  principal: AgentPrincipal,
  request: WorkStreamRequest,
): Promise<{ epoch: number; sessionId: string; leases: LeaseDecision[] }> {
  const agentId = principal.id;
  const sessionId = randomUUID();
  return db.$transaction(async (tx) => {
    await requireInForce(tx, principal);
    const { sessionEpoch: epoch } = await tx.agent.update({
      where: { id: agentId },
      data: {
        sessionEpoch: { increment: 1 },
        sessionId,
        replicaId,
        hostname: request.hostname,
        version: request.agentVersion,
        capabilities: request.capabilities,
        maxInFlight: request.maxInFlight,
      },
    });
    await storeHost(tx, agentId, request.host);
    await tx.$executeRaw`UPDATE agents SET last_heartbeat_at = now() WHERE id = ${agentId}`;
    await notify(tx, "session", `${agentId} ${epoch} ${request.instanceId}`);
    const leases = await renewLeases(tx, agentId, request.held);
    const kept = leases.filter(({ keep }) => keep).map(({ leaseId }) => leaseId);
    await reclaimFromRestarted(tx, agentId, kept);
    await markBack(tx, agentId, clock());
    return { epoch, sessionId, leases };
  });
}
