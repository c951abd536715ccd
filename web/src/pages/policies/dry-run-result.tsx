import { Link } from "@tanstack/react-router";
import { CircleCheck, TriangleAlert } from "lucide-react";
import type { DryRunPolicyRuleResponse } from "#gen/certctl/v1/policies_pb.ts";
import { cx } from "../../ui/class-names.ts";
import { countText, numberText } from "../../ui/time-text.ts";

/** What a rule would find. */
export function DryRunResult({
  result: { checked, violating, examples },
}: {
  result: DryRunPolicyRuleResponse;
}) {
  const isFine = violating === 0;
  const Icon = isFine ? CircleCheck : TriangleAlert;
  return (
    <div
      role="status"
      className={cx(
        isFine ? "tone-ok" : "tone-warn",
        "tone-tint flex flex-col gap-1.5 rounded-control px-3 py-2",
      )}
    >
      <p className="flex items-center gap-2 font-medium">
        <Icon aria-hidden size={14} className="tone-text shrink-0" />
        {isFine
          ? `None of ${countText(checked, "certificate")} would violate it`
          : `${numberText(violating)} of ${countText(checked, "certificate")} would violate it`}
      </p>
      {examples.length > 0 && (
        <ul className="flex max-h-40 flex-col gap-1 overflow-y-auto text-sm">
          {examples.map(({ certificateId, certificateName, message }) => (
            <li key={certificateId}>
              <Link
                to="/certificates/$id"
                params={{ id: certificateId }}
                className="font-medium hover:text-accent"
              >
                {certificateName}
              </Link>{" "}
              <span className="text-fg1">{message}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
