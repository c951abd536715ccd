import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleMinus,
  CirclePause,
  CircleX,
  Hand,
  RefreshCw,
} from "lucide-react";
import {
  OperationItemStatus,
  OperationItemStatusSchema,
  type OperationKind,
  OperationKindSchema,
  OperationStatus,
  OperationStatusSchema,
} from "#gen/certctl/v1/operations_pb.ts";
import { Badge, State } from "../ui/badge.tsx";
import { type Look, unknownLook } from "./certificate-status.tsx";
import { readable } from "./words.ts";

const looks: Readonly<Record<OperationStatus, Look>> = {
  [OperationStatus.UNSPECIFIED]: unknownLook,
  [OperationStatus.AWAITING_APPROVAL]: { tone: "warn", icon: Hand, word: "Waits for a yes" },
  [OperationStatus.RUNNING]: { tone: "due", icon: RefreshCw },
  [OperationStatus.PAUSED]: { tone: "warn", icon: CirclePause },
  [OperationStatus.COMPLETED]: { tone: "ok", icon: CircleCheck },
  [OperationStatus.CANCELLED]: { tone: "muted", icon: Ban },
};

const itemLooks: Readonly<Record<OperationItemStatus, Look>> = {
  [OperationItemStatus.UNSPECIFIED]: unknownLook,
  [OperationItemStatus.PENDING]: { tone: "muted", icon: CircleDashed },
  [OperationItemStatus.DONE]: { tone: "ok", icon: CircleCheck },
  [OperationItemStatus.SKIPPED]: { tone: "muted", icon: CircleMinus },
  [OperationItemStatus.FAILED]: { tone: "bad", icon: CircleX },
};

export function OperationBadge({ status }: { status: OperationStatus }) {
  const look = looks[status] ?? unknownLook;
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word ?? readable(OperationStatusSchema, status)}
    </Badge>
  );
}

export function OperationItemState({ status }: { status: OperationItemStatus }) {
  const look = itemLooks[status] ?? unknownLook;
  return (
    <State tone={look.tone} icon={look.icon}>
      {look.word ?? readable(OperationItemStatusSchema, status)}
    </State>
  );
}

export function operationText(kind: OperationKind): string {
  return readable(OperationKindSchema, kind);
}
