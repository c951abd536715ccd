import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Agent, AgentSchema, AgentStatus } from "#gen/certctl/v1/agents_pb.ts";
import { type Issuer, IssuerSchema } from "#gen/certctl/v1/issuers_pb.ts";
import { type Target, TargetSchema } from "#gen/certctl/v1/targets_pb.ts";

const hosts = ["edge-1", "edge-2", "pay-1", "pay-2", "web-1", "web-2", "data-1", "sso-1", "legacy"] as const;

/** The host whose agent fell silent: what it should renew waits for it. */
export const silentHost = "legacy";

const dayMs = 86_400_000;
const before = (now: Date, ms: number) => timestampFromDate(new Date(now.getTime() - ms));

export function makeIssuers(now: Date): Issuer[] {
  const issuer = (id: string, name: string) =>
    create(IssuerSchema, {
      id,
      name,
      kind: "local",
      config: {},
      enabled: true,
      createdAt: before(now, 400 * dayMs),
    });
  return [
    issuer("iss-local", "Local CA"),
    issuer("iss-services", "Internal services"),
    issuer("iss-edge", "Edge"),
  ];
}

export function makeAgents(now: Date): Agent[] {
  return hosts.map((host, index) => {
    const isSilent = host === silentHost;
    return create(AgentSchema, {
      id: `ag-${host}`,
      name: host,
      status: isSilent ? AgentStatus.OFFLINE : AgentStatus.ONLINE,
      hostname: `${host}.certctl.example`,
      version: isSilent ? "0.1.0" : "0.1.1",
      capabilities: ["nginx", "files"],
      lastHeartbeatAt: before(now, isSilent ? 11 * dayMs : 4_000 + index * 1_300),
      identityExpiresAt: timestampFromDate(new Date(now.getTime() + (isSilent ? -10 : 1) * dayMs)),
      ...(isSilent && { offlineAt: before(now, 11 * dayMs - 180_000) }),
      createdAt: before(now, (300 - index * 20) * dayMs),
      entries: [{ name: "main", kind: "nginx", endpoint: "127.0.0.1:443", targetId: `tgt-${host}` }],
    });
  });
}

export function makeTargets(now: Date): Target[] {
  return hosts.map((host) => {
    const config: JsonObject = { entry: "main" };
    return create(TargetSchema, {
      id: `tgt-${host}`,
      name: host,
      kind: host === "data-1" ? "files" : "nginx",
      agentId: `ag-${host}`,
      config,
      createdAt: before(now, 200 * dayMs),
      updatedAt: before(now, 100 * dayMs),
    });
  });
}
