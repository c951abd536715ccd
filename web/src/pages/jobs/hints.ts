import { FailureClass } from "#gen/certctl/v1/jobs_pb.ts";
import { adviceIn } from "./order-advice.ts";

/** What to look at first, by the step that failed. */
const bySteps: Readonly<Record<string, string>> = {
  host_file:
    "Look into agent.yaml on the agent's host, and into the owner and mode of the directories that it names.",
  config: "The target's configuration does not fit: edit the target and test its connection.",
  match:
    "The agent does not hold the key of this version. Renew the certificate, so that it makes a new one.",
  write: "The directory could not be written: look at free space, owner and mode on the agent's host.",
  switch: "The link could not be exchanged: look at the directory on the agent's host.",
  config_test:
    "The server refuses its configuration with the new files. Run its test on the host; the words above are its own.",
  reload: "The reload command failed on the host. Run it there by hand; the words above are its own.",
  proof:
    "The endpoint did not show the new certificate. Is it the server that reads these files, and does another process answer there?",
  agent_lost: "The agent fell silent while it worked. Look at its process and its log.",
  submit:
    "The control plane refused the agent's request. The names may have been changed since: renew again.",
  key: "The agent could not make or keep the key: look at its data directory.",
  issuer: "The issuer is disabled, or of a kind that this server does not know.",
  sign: "The control plane failed to sign. Its log has more under this job's id.",
};

const byClass: Readonly<Partial<Record<FailureClass, string>>> = {
  [FailureClass.NETWORK]: "The other side was not reached. It is tried again by itself.",
  [FailureClass.REFUSED]:
    "The CA has refused this. Trying again does not help before somebody changes what it objects to.",
  [FailureClass.RATE_LIMITED]: "The CA asks for patience. It is tried again when it says so.",
  [FailureClass.TARGET]: "The server did not take it. It is tried again by itself.",
  [FailureClass.CONFIGURATION]: "Somebody has to change something first. Retry it afterwards.",
  [FailureClass.INTERNAL]: "A fault inside certctl. It is tried again by itself.",
};

/** What to do about a failure. */
export function hintsFor({
  step,
  message,
  failureClass,
}: {
  step: string;
  message: string;
  failureClass: FailureClass;
}): string[] {
  const ordered = step === "order" ? adviceIn(message) : undefined;
  return [bySteps[step], ordered, byClass[failureClass]].filter((hint) => hint !== undefined);
}
