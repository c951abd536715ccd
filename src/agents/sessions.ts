import { Drain_Reason } from "#gen/certctl/v1/agent_work_pb.ts";
import type { ChallengeQuestion } from "../challenges/ask-agent.ts";
import type { Bus } from "../platform/bus.ts";
import { Wakeup } from "../platform/wakeup.ts";
import { type ProbeQuestion, readQuestion } from "./probe-messages.ts";

/** Why and how a stream is to end. */
export interface Ending {
  reason: Drain_Reason;
  reconnectAfterMs: number;
  supersededBy: string;
}

/** An agent's open work stream on this replica. */
export interface OpenSession {
  readonly agentId: string;
  readonly epoch: number;
  readonly wakeup: Wakeup;
  /** Set once; the stream says it and ends. */
  ending: Ending | null;
  /** The stream is to show that it is alive. */
  isPingDue: boolean;
  /** Leases that were taken away and that the agent is still to be told of. */
  readonly lostLeases: { jobId: string; leaseId: string }[];
  /** Targets that the agent is to be asked about. */
  readonly probes: ProbeQuestion[];
  /** Challenges that it is to publish or to take away. */
  readonly challenges: ChallengeQuestion[];
}

/** The streams of this replica, one for each agent: the newest. */
export interface Sessions extends Disposable {
  /** Registers a stream, ending an older one of the same agent. The session leaves the map when disposed of. */
  open(options: {
    agentId: string;
    epoch: number;
    instanceId: string;
    /** When the credential ends, if it does. */
    endsAt: Date | null;
    signal: AbortSignal;
  }): OpenSession & Disposable;
  /** How long agents are to spread their return after an unplanned loss. */
  reconnectWindowMs(): number;
  /** Asks every stream to end, and resolves when all have, or after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

export const pingIntervalMs = 20_000;
/** A handshake costs about 3 ms of processor time; a third of a core may go to agents that come back. */
const reconnectMsPerAgent = 10;
const leastReconnectMs = 500;

export function createSessions(bus: Bus, clock: () => Date): Sessions {
  const open = new Map<string, OpenSession & { endsAt: Date | null }>();
  let emptied: (() => void) | undefined;
  const reconnectWindowMs = () => Math.max(leastReconnectMs, open.size * reconnectMsPerAgent);

  function end(session: OpenSession, reason: Drain_Reason, supersededBy = ""): void {
    const reconnectAfterMs =
      reason === Drain_Reason.SUPERSEDED ? 0 : Math.floor(Math.random() * reconnectWindowMs());
    session.ending ??= { reason, reconnectAfterMs, supersededBy };
    session.wakeup.wake();
  }

  function onSessionChange(payload: string): void {
    const [agentId = "", epoch, instanceId = ""] = payload.split(" ");
    const session = open.get(agentId);
    if (!session || session.epoch >= Number(epoch)) return;
    if (instanceId === "") end(session, Drain_Reason.IDENTITY_ENDED);
    else end(session, Drain_Reason.SUPERSEDED, instanceId);
  }

  function onLeaseLost(payload: string): void {
    const [agentId = "", jobId = "", leaseId = ""] = payload.split(" ");
    const session = open.get(agentId);
    session?.lostLeases.push({ jobId, leaseId });
    session?.wakeup.wake();
  }

  function onProbe(payload: string): void {
    const question = readQuestion(payload);
    const session = open.get(question.agentId);
    session?.probes.push(question);
    session?.wakeup.wake();
  }

  function onChallenge(payload: string): void {
    const question = JSON.parse(payload) as ChallengeQuestion;
    const session = open.get(question.agentId);
    session?.challenges.push(question);
    session?.wakeup.wake();
  }

  function wakeAll(): void {
    for (const session of open.values()) session.wakeup.wake();
  }

  // One ticker for all: it also makes up for a notification that was lost.
  const ticker = setInterval(() => {
    const now = clock();
    for (const session of open.values()) {
      session.isPingDue = true;
      session.wakeup.wake();
      if (session.endsAt && session.endsAt <= now) end(session, Drain_Reason.IDENTITY_ENDED);
    }
  }, pingIntervalMs);
  const subscriptions = [
    bus.subscribe("work", (agentId) => open.get(agentId)?.wakeup.wake()),
    bus.subscribe("session", onSessionChange),
    bus.subscribe("lease", onLeaseLost),
    bus.subscribe("probe", onProbe),
    bus.subscribe("challenge", onChallenge),
    bus.onResumed(wakeAll),
  ];

  return {
    reconnectWindowMs,
    open({ agentId, epoch, instanceId, endsAt, signal }) {
      const older = open.get(agentId);
      if (older && older.epoch < epoch) end(older, Drain_Reason.SUPERSEDED, instanceId);
      const session = {
        agentId,
        epoch,
        endsAt,
        wakeup: new Wakeup(signal),
        ending: null,
        isPingDue: false,
        lostLeases: [],
        probes: [],
        challenges: [],
        [Symbol.dispose]() {
          this.wakeup[Symbol.dispose]();
          if (open.get(agentId) === session) open.delete(agentId);
          if (open.size === 0) emptied?.();
        },
      };
      open.set(agentId, session);
      return session;
    },
    async drain(graceMs) {
      for (const session of open.values()) end(session, Drain_Reason.SERVER_SHUTDOWN);
      if (open.size === 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    },
    [Symbol.dispose]() {
      clearInterval(ticker);
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}
