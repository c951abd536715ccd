import { counted, inWords } from "./in-words.ts";
import { type ServedTarget, servedState } from "./targets.ts";

/** What the sentence speaks of. */
export interface Standing {
  status: string;
  schedule: string;
  expiresAt: Date | null;
  renewAt: Date | null;
  autoRenew: boolean;
  archivedAt: Date | null;
  lastError: string;
  targets: readonly ServedTarget[];
  brokenRules: number;
}

/** More targets than these are counted, not named. */
const mostNamed = 2;

/** "Renews in 9 d; 3 of 4 targets proven; lb-prod-2 still serves v6". Pure. */
export function sentenceOf(standing: Standing, now: Date): string {
  const { brokenRules, targets } = standing;
  const parts = [stateOf(standing, now)];
  if (standing.archivedAt === null && standing.expiresAt)
    parts.push(...provenOf(targets), ...strayOf(targets));
  if (brokenRules > 0) parts.push(`violates ${counted(brokenRules, "policy rule")}`);
  return parts.join("; ");
}

function stateOf(standing: Standing, now: Date): string {
  const { status, schedule, expiresAt, renewAt, autoRenew, archivedAt, lastError } = standing;
  const until = (date: Date) => inWords(date.getTime() - now.getTime());
  const since = (date: Date) => inWords(now.getTime() - date.getTime());
  if (archivedAt) return `Archived ${since(archivedAt)} ago; nothing renews it`;
  if (!expiresAt || !renewAt) {
    if (status === "RenewalInProgress") return "Being issued for the first time";
    return lastError ? `Could not be issued: ${lastError}` : "Nothing was issued yet";
  }
  if (status === "Revoked") return "Revoked: nobody may trust it any more";
  if (status === "RenewalInProgress") return `Being renewed, ${ending(expiresAt, now)}`;
  if (expiresAt <= now) return `Expired ${since(expiresAt)} ago`;
  if (!autoRenew) return `Renewed by hand only, ends in ${until(expiresAt)}`;
  if (renewAt > now) return `Renews in ${until(renewAt)}`;
  if (schedule === "Due") return `To be renewed now, ends in ${until(expiresAt)}`;
  return `Renewal overdue by ${since(renewAt)}, ends in ${until(expiresAt)}`;
}

function ending(expiresAt: Date, now: Date): string {
  const ms = expiresAt.getTime() - now.getTime();
  return ms > 0 ? `ends in ${inWords(ms)}` : `expired ${inWords(-ms)} ago`;
}

function provenOf(targets: readonly ServedTarget[]): string[] {
  if (targets.length === 0) return [];
  const proven = targets.filter((target) => servedState(target) === "proven").length;
  if (proven < targets.length) return [`${proven} of ${counted(targets.length, "target")} proven`];
  return [targets.length === 1 ? "its target proven" : `all ${targets.length} targets proven`];
}

function strayOf(targets: readonly ServedTarget[]): string[] {
  const stray = targets.filter((target) => ["other", "nothing"].includes(servedState(target)));
  const named = stray.slice(0, mostNamed).map((target) => {
    if (servedState(target) === "nothing") return `${target.name} serves nothing`;
    if (target.servedNumber === null) return `${target.name} serves a certificate that is not this one's`;
    return `${target.name} still serves v${target.servedNumber}`;
  });
  const others = stray.length - named.length;
  return others > 0 ? [...named, `${others} more do not serve it`] : named;
}
