import { Archive, CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { AgentStatus, AgentStatusSchema } from "#gen/certctl/v1/agents_pb.ts";
import { Badge } from "../ui/badge.tsx";
import { type Look, unknownLook } from "./certificate-status.tsx";
import { readable } from "./words.ts";

const looks: Readonly<Record<AgentStatus, Look>> = {
  [AgentStatus.UNSPECIFIED]: unknownLook,
  [AgentStatus.ONLINE]: { tone: "ok", icon: CircleCheck },
  [AgentStatus.OFFLINE]: { tone: "bad", icon: CircleX },
  [AgentStatus.DEGRADED]: { tone: "warn", icon: TriangleAlert },
  [AgentStatus.RETIRED]: { tone: "muted", icon: Archive },
};

export function AgentBadge({ status }: { status: AgentStatus }) {
  const look = looks[status] ?? unknownLook;
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word ?? readable(AgentStatusSchema, status)}
    </Badge>
  );
}
