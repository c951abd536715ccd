import { CircleAlert, CircleX, TriangleAlert } from "lucide-react";
import { PolicySeverity, PolicySeveritySchema } from "#gen/certctl/v1/policies_pb.ts";
import { State } from "../ui/badge.tsx";
import { type Look, unknownLook } from "./certificate-status.tsx";
import { readable } from "./words.ts";

const looks: Readonly<Record<PolicySeverity, Look>> = {
  [PolicySeverity.UNSPECIFIED]: unknownLook,
  [PolicySeverity.WARNING]: { tone: "warn", icon: TriangleAlert },
  [PolicySeverity.ERROR]: { tone: "serious", icon: CircleAlert },
  [PolicySeverity.CRITICAL]: { tone: "bad", icon: CircleX },
};

/** How bad a violation is. */
export function SeverityState({ severity }: { severity: PolicySeverity }) {
  const look = looks[severity] ?? unknownLook;
  return (
    <State tone={look.tone} icon={look.icon}>
      {readable(PolicySeveritySchema, severity)}
    </State>
  );
}
