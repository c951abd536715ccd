import {
  Archive,
  Ban,
  Check,
  CircleDashed,
  CircleX,
  Clock,
  type LucideIcon,
  RefreshCw,
  ShieldX,
  TriangleAlert,
} from "lucide-react";
import {
  CertificateSchedule,
  CertificateStatus,
  CertificateStatusSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { Badge } from "../ui/badge.tsx";
import type { Tone } from "../ui/tone.ts";
import { readable } from "./words.ts";

export interface Look {
  tone: Tone;
  icon: LucideIcon;
  word?: string;
}

/** For what only a newer control plane knows. */
export const unknownLook: Look = { tone: "muted", icon: CircleDashed, word: "Unknown" };

export const certificateLooks: Readonly<Record<CertificateStatus, Look>> = {
  [CertificateStatus.UNSPECIFIED]: unknownLook,
  [CertificateStatus.PENDING]: { tone: "muted", icon: CircleDashed },
  [CertificateStatus.ACTIVE]: { tone: "ok", icon: Check },
  [CertificateStatus.EXPIRING]: { tone: "warn", icon: Clock },
  [CertificateStatus.EXPIRED]: { tone: "bad", icon: CircleX },
  [CertificateStatus.RENEWAL_IN_PROGRESS]: { tone: "due", icon: RefreshCw, word: "Renewing" },
  [CertificateStatus.FAILED]: { tone: "bad", icon: Ban },
  [CertificateStatus.ARCHIVED]: { tone: "muted", icon: Archive },
  [CertificateStatus.REVOKED]: { tone: "revoked", icon: ShieldX },
};

/** Where a certificate stands against its own plan: nothing else colours one that is valid. */
export const scheduleLooks: Readonly<Record<CertificateSchedule, Look>> = {
  [CertificateSchedule.UNSPECIFIED]: { tone: "muted", icon: CircleDashed, word: "Not issued" },
  [CertificateSchedule.ON_PLAN]: { tone: "ok", icon: Check, word: "On plan" },
  [CertificateSchedule.DUE]: { tone: "due", icon: Clock, word: "Due" },
  [CertificateSchedule.OVERDUE]: { tone: "warn", icon: Clock, word: "Overdue" },
  [CertificateSchedule.AT_RISK]: { tone: "serious", icon: TriangleAlert, word: "At risk" },
};

/** An `Expiring` certificate shows how far behind its plan it is; the other states say enough. */
export function CertificateBadge({
  status,
  schedule,
}: {
  status: CertificateStatus;
  schedule: CertificateSchedule;
}) {
  const isBehind = status === CertificateStatus.EXPIRING && schedule !== CertificateSchedule.UNSPECIFIED;
  const look = (isBehind ? scheduleLooks[schedule] : certificateLooks[status]) ?? unknownLook;
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word ?? readable(CertificateStatusSchema, status)}
    </Badge>
  );
}
