import { CircleCheck, CircleX } from "lucide-react";
import type { TestTargetConfigResponse, TestTargetResponse } from "#gen/certctl/v1/targets_pb.ts";
import { TestResult } from "../../forms/test-result.tsx";

/** What an agent found out about a target: one line for each thing that a deployment needs. */
export function Checks({
  result,
}: {
  result: Pick<TestTargetResponse | TestTargetConfigResponse, "ok" | "message" | "checks">;
}) {
  return (
    <TestResult isOk={result.ok} message={result.message}>
      {result.checks.length > 0 && (
        <ul className="flex flex-col gap-0.5 text-sm">
          {result.checks.map(({ name, ok, message }) => {
            const Icon = ok ? CircleCheck : CircleX;
            return (
              <li key={name} className={ok ? "tone-ok flex gap-2" : "tone-bad flex gap-2"}>
                <Icon aria-hidden size={12} className="tone-text mt-0.5 shrink-0" />
                <span className="min-w-0 break-words">
                  <span className="font-medium">{name}</span> <span className="text-fg1">{message}</span>
                  <span className="sr-only">{ok ? " (fine)" : " (missing)"}</span>
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </TestResult>
  );
}
