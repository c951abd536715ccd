import { Ban, CircleCheck, CircleX, Clock, KeyRound, RefreshCw, TriangleAlert } from "lucide-react";
import { JobOutcome, JobStatus, JobStatusSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { Badge } from "../ui/badge.tsx";
import { type Look, unknownLook } from "./certificate-status.tsx";
import { readable } from "./words.ts";

export const jobLooks: Readonly<Record<JobStatus, Look>> = {
  [JobStatus.UNSPECIFIED]: unknownLook,
  [JobStatus.PENDING]: { tone: "muted", icon: Clock },
  [JobStatus.AWAITING_CSR]: { tone: "due", icon: KeyRound },
  [JobStatus.RUNNING]: { tone: "due", icon: RefreshCw },
  [JobStatus.COMPLETED]: { tone: "ok", icon: CircleCheck },
  [JobStatus.FAILED]: { tone: "bad", icon: CircleX },
  [JobStatus.CANCELLED]: { tone: "muted", icon: Ban },
};

const outcomes: Readonly<Partial<Record<JobOutcome, Look>>> = {
  [JobOutcome.ISSUED]: { tone: "ok", icon: CircleCheck, word: "Issued" },
  [JobOutcome.PROVEN]: { tone: "ok", icon: CircleCheck, word: "Proven" },
  [JobOutcome.PARTLY_PROVEN]: { tone: "warn", icon: TriangleAlert, word: "Partly proven" },
  [JobOutcome.NOT_PROVEN]: { tone: "bad", icon: CircleX, word: "Not proven" },
  [JobOutcome.REVOKED]: { tone: "ok", icon: CircleCheck, word: "Revoked" },
  [JobOutcome.NOT_REVOKED]: { tone: "bad", icon: CircleX, word: "Not revoked" },
};

/** A job's state; once it is completed, what it came to. */
export function JobBadge({ status, outcome }: { status: JobStatus; outcome?: JobOutcome | undefined }) {
  const look =
    (status === JobStatus.COMPLETED && outcome && outcomes[outcome]) || (jobLooks[status] ?? unknownLook);
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.word ?? readable(JobStatusSchema, status)}
    </Badge>
  );
}
