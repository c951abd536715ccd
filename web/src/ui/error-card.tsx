import { Code } from "@connectrpc/connect";
import { CircleX, Lock, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { isCode, messageOf, requestIdOf, violationsOf } from "../api/errors.ts";
import { Button } from "./button.tsx";
import { CopyText } from "./copy.tsx";

/** What went wrong with a section: the reason, another try, the id under which the log tells more. */
export function ErrorCard({ error, what, onRetry }: { error: unknown; what: string; onRetry?: () => void }) {
  const isForbidden = isCode(error, Code.PermissionDenied);
  const Icon = isForbidden ? Lock : CircleX;
  return (
    <div
      role="alert"
      className="flex flex-col items-start gap-2 rounded-panel border border-line1 bg-bg1 p-4"
    >
      <p className="flex items-center gap-2 font-medium">
        <Icon aria-hidden size={16} className={isForbidden ? "text-fg2" : "tone-bad tone-text"} />
        {isForbidden ? `You may not see ${what}` : `Could not load ${what}`}
      </p>
      <p className="text-fg1">{messageOf(error)}</p>
      <div className="flex flex-wrap items-center gap-3">
        {onRetry && !isForbidden && (
          <Button isSmall icon={RotateCw} onClick={onRetry}>
            Try again
          </Button>
        )}
        <RequestId error={error} />
      </div>
    </div>
  );
}

/** What went wrong with an action, beside its button. Violations that no field shows are listed. */
export function ErrorNote({ error, children }: { error: unknown; children?: ReactNode }) {
  const violations = violationsOf(error);
  return (
    <div role="alert" className="tone-bad tone-tint flex flex-col gap-1 rounded-control px-3 py-2 text-fg0">
      <p>{violations.length > 0 ? "The control plane refused this:" : messageOf(error)}</p>
      {violations.length > 0 && (
        <ul className="list-disc pl-4">
          {violations.map(({ field, description }) => (
            <li key={field + description}>
              <span className="font-mono text-sm">{field}</span> {description}
            </li>
          ))}
        </ul>
      )}
      {children}
      <RequestId error={error} />
    </div>
  );
}

function RequestId({ error }: { error: unknown }) {
  const id = requestIdOf(error);
  if (!id) return null;
  return (
    <span className="text-fg2 text-sm">
      Request <CopyText text={id} />
    </span>
  );
}
