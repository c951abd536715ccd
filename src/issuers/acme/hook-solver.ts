import { commandFailure } from "../command-failure.ts";
import type { ChallengeTools, KeptChallenge } from "../issuer.ts";
import { recordOf } from "./record.ts";
import type { Solver } from "./solver.ts";

/** A command of server.yaml that adds the records of dns-01 to wherever they belong, and takes them away. */
export function hookSolver(command: string, { commands, issuerId, signal }: ChallengeTools): Solver {
  async function run(action: "publish" | "clear", challenge: KeptChallenge): Promise<void> {
    const { name, text } = recordOf(challenge);
    const environment = {
      CERTCTL_ACTION: action,
      CERTCTL_ISSUER_ID: issuerId,
      CERTCTL_DOMAIN: challenge.identifier,
      CERTCTL_RECORD_NAME: name,
      CERTCTL_RECORD_VALUE: text,
    };
    const end = await commands.run(command, { environment, stdin: "", signal });
    if (end.code !== 0) throw commandFailure("challenge", command, end);
  }
  return {
    by: `the command ${command}`,
    publish: (challenge) => run("publish", challenge),
    clear: (challenge) => run("clear", challenge),
  };
}
