import { Ban, CircleCheck, TimerOff } from "lucide-react";
import { type ApiKey, ApiKeyStatus } from "#gen/certctl/v1/api_keys_pb.ts";
import { Badge } from "../../ui/badge.tsx";
import { CopyText } from "../../ui/copy.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { Time } from "../../ui/time.tsx";
import { KeyMenu } from "./api-key-menu.tsx";
import { roleWords } from "./api-key-words.ts";

export function KeyStatus({ apiKey: { status } }: { apiKey: ApiKey }) {
  if (status === ApiKeyStatus.REVOKED)
    return (
      <Badge tone="muted" icon={Ban}>
        Revoked
      </Badge>
    );
  if (status === ApiKeyStatus.EXPIRED)
    return (
      <Badge tone="muted" icon={TimerOff}>
        Expired
      </Badge>
    );
  return (
    <Badge tone="ok" icon={CircleCheck}>
      Active
    </Badge>
  );
}

export const keyColumns: Column<ApiKey>[] = [
  {
    key: "name",
    header: "Name",
    sort: "name",
    cell: ({ id, name }) => (
      <span className="flex flex-col">
        <span className="truncate">{name || "without a name"}</span>
        <CopyText text={id} />
      </span>
    ),
  },
  { key: "status", header: "Status", cell: (key) => <KeyStatus apiKey={key} /> },
  { key: "role", header: "Role", sort: "role", cell: ({ role }) => roleWords.text(role) },
  { key: "reach", header: "Reaches", from: "lg", cell: (key) => <Reach apiKey={key} /> },
  {
    key: "used",
    header: "Last used",
    sort: "last_used_at",
    from: "md",
    cell: (key) => <Time at={key.lastUsedAt} />,
  },
  { key: "expires", header: "Expires", sort: "expires_at", cell: (key) => <Time at={key.expiresAt} /> },
  {
    key: "created",
    header: "Created",
    sort: "created_at",
    from: "lg",
    cell: (key) => <Time at={key.createdAt} />,
  },
  { key: "menu", header: "Actions", isRight: true, cell: (key) => <KeyMenu apiKey={key} /> },
];

/** What a key is restricted to. */
function Reach({ apiKey: { agentId, teamIds, issuerIds } }: { apiKey: ApiKey }) {
  if (agentId) return <span className="font-mono text-sm">{agentId}</span>;
  if (teamIds.length + issuerIds.length === 0) return <span className="text-fg2">everything</span>;
  return <span className="block max-w-52 truncate">{[...teamIds, ...issuerIds].join(", ")}</span>;
}
