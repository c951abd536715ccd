import { IssuerError } from "../issuers/issuer.ts";
import type { AttemptFailure } from "../jobs/retry.ts";

/** What an issuer's failure means for the job; anything else is certctl's own fault. */
export function attemptFailure(error: unknown, step: "sign" | "revoke"): AttemptFailure {
  if (error instanceof IssuerError) {
    const { step: where, message, failureClass, retryAfterMs } = error;
    return { step: where, message, failureClass, retryAfterMs };
  }
  const doing = step === "sign" ? "signing" : "revoking";
  return {
    step,
    message: `internal error while ${doing}; the server's log has it`,
    failureClass: "Internal",
  };
}
