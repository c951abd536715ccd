import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { AgentWorkService, type WorkItem } from "#gen/certctl/v1/agent_work_pb.ts";
import { newCsr } from "./fixtures.ts";

/** An agent as far as the protocol shows: it makes keys and says that it deployed. Nothing is behind its targets. */
export interface SimulatedAgent extends AsyncDisposable {
  /** Certificates whose CSRs it does not send any more. */
  refusing: Set<string>;
}

/**
 * Holds a work stream to the control plane for as long as it is not disposed of. The control plane's certificate is not
 * checked, because its clock is not ours.
 */
export function startSimulatedAgent(url: string, apiKey: string): SimulatedAgent {
  const stop = new AbortController();
  const refusing = new Set<string>();
  const served = new Map<string, string>();
  const sessions = new Http2SessionManager(url, {}, { rejectUnauthorized: false });
  const client = createClient(
    AgentWorkService,
    createConnectTransport({
      baseUrl: url,
      httpVersion: "2",
      sessionManager: sessions,
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${apiKey}`);
          return next(request);
        },
      ],
    }),
  );

  async function work({ jobId, leaseId, spec }: WorkItem): Promise<void> {
    if (spec.case === "generateCsr") {
      const { certificateId, sans, commonName } = spec.value;
      if (!refusing.has(certificateId)) {
        await client.submitCsr({ jobId, leaseId, csrPem: newCsr(sans, { commonName }).csrPem });
        return;
      }
      const value = { step: "key", message: "the disk is full", retryable: false };
      await client.reportResult({ jobId, leaseId, result: { case: "failed", value } });
    } else if (spec.case === "deploy") {
      const { targetId, fingerprintSha256: servedFingerprintSha256 } = spec.value;
      served.set(targetId, servedFingerprintSha256);
      const result = { case: "succeeded" as const, value: { servedFingerprintSha256 } };
      await client.reportResult({ jobId, leaseId, result });
    } else if (spec.case === "observe") {
      const servedFingerprintSha256 = served.get(spec.value.targetId) ?? "";
      const result = { case: "observed" as const, value: { servedFingerprintSha256 } };
      await client.reportResult({ jobId, leaseId, result });
    }
  }

  async function live(): Promise<void> {
    const instanceId = randomUUID();
    while (!stop.signal.aborted) {
      try {
        const hello = {
          instanceId,
          protocolMin: 1,
          protocolMax: 1,
          agentVersion: "simulated",
          maxInFlight: 16,
        };
        for await (const { message } of client.workStream(hello, { signal: stop.signal })) {
          // A lease that is lost, or a control plane that dies: the job comes again.
          if (message.case === "work") work(message.value).catch(() => {});
          if (message.case === "welcome") await client.heartbeat({ epoch: message.value.epoch });
        }
      } catch {
        await delay(100, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  }

  const living = live();
  return {
    refusing,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await living;
      sessions.abort();
    },
  };
}
