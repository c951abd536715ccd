import type { FailureClass } from "../platform/failure.ts";
import type { CommandEnd } from "./commands.ts";
import { IssuerError } from "./issuer.ts";

/** What a command's exit code says; any other is a fault of the command. */
const classes: Readonly<Record<number, FailureClass>> = {
  10: "Refused",
  11: "RateLimited",
  12: "Configuration",
  14: "Network",
};

/** A command that ended with another code than 0, in its own words. */
export function commandFailure(
  step: string,
  command: string,
  { code, stdout, words }: CommandEnd,
): IssuerError {
  const failureClass = classes[code] ?? "Internal";
  const wait = failureClass === "RateLimited" ? /^\s*(\d{1,7})\s*$/.exec(stdout)?.[1] : undefined;
  return new IssuerError(
    step,
    `${command} ended with ${code}: ${words || "it did not say why"}`,
    failureClass,
    wait === undefined ? null : Number(wait) * 1_000,
  );
}
