import type { ChallengeTools, KeptChallenge } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { hookSolver } from "./hook-solver.ts";
import { rfc2136Solver } from "./rfc2136-solver.ts";

/** A way to answer challenges. */
export interface Solver {
  /** In words: "answered by …". */
  readonly by: string;
  /** Returns when the answer can be seen. Done twice, it is there once. Throws IssuerError. */
  publish(challenge: KeptChallenge): Promise<void>;
  /** Takes it away; what is not there is fine. Throws IssuerError. */
  clear(challenge: KeptChallenge): Promise<void>;
}

/** The control plane answers by itself from what is kept in the database. */
const server: Solver = {
  by: "this control plane",
  async publish() {},
  async clear() {},
};

/** The agent answers on the host that the name leads to, as far as its owner lets it. */
function agent({ askAgent }: ChallengeTools): Solver {
  return {
    by: "the agent",
    publish: (challenge) => askAgent("publish", challenge),
    clear: (challenge) => askAgent("clear", challenge),
  };
}

export function solverOf(config: AcmeConfig, tools: ChallengeTools): Solver {
  switch (config.solver) {
    case "server":
      return server;
    case "agent":
      return agent(tools);
    case "hook":
      return hookSolver(config.hook_command, tools);
    case "rfc2136":
      return rfc2136Solver(config.rfc2136, tools);
  }
}
