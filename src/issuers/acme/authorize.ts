import type { Authorization } from "acme-client";
import { type Challenge, type IssuerContext, IssuerError } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import type { AcmeConnection } from "./connection.ts";
import { AcmeFailure, readProblem } from "./problem.ts";
import type { Solver } from "./solver.ts";
import type { AuthorizationState } from "./state.ts";

/** As the CA shows it, for the order's state. */
export function authorizationState(authorization: Authorization): AuthorizationState {
  const { url, identifier, status, challenges, wildcard } = authorization;
  return {
    url,
    identifier: identifier.value,
    isWildcard: wildcard === true,
    status,
    challenges: challenges.map((challenge) => {
      const { error } = challenge as { error?: unknown };
      const { type, url: place, status: now } = challenge;
      return { type, url: place, status: now, problem: error ? readProblem(error) : null };
    }),
  };
}

/**
 * Publishes the answer to a pending authorization's challenge and asks the CA to look. One that the CA looks at already, or has
 * found good, is left at that.
 */
export async function answerChallenge(
  authorization: Authorization,
  {
    connection,
    solver,
    config,
    context,
  }: { connection: AcmeConnection; solver: Solver; config: AcmeConfig; context: IssuerContext },
): Promise<void> {
  if (authorization.status !== "pending") return;
  const { value: identifier } = authorization.identifier;
  const offered = authorization.challenges.find(({ type }) => type === config.challenge);
  if (!offered) {
    const types = authorization.challenges.map(({ type }) => type).join(", ");
    throw new IssuerError(
      "challenge",
      `the CA offers ${types || "nothing"} for ${nameOf(authorization)}, and the issuer is set to ${config.challenge}`,
      "Configuration",
    );
  }
  if (offered.status !== "pending") return;
  const challenge: Challenge = {
    type: config.challenge,
    identifier,
    token: offered.token,
    keyAuthorization: await keyAuthorizationOf(connection, offered.token),
  };
  const kept = await context.challenges.keep(challenge);
  await solver.publish(kept);
  await context.progress(
    "challenge",
    `${config.challenge} for ${nameOf(authorization)}, answered by ${solver.by}`,
  );
  try {
    await connection.client.completeChallenge(offered);
  } catch (error) {
    if (!(error instanceof AcmeFailure) || (await isLookedAt(connection, authorization))) return;
    throw error;
  }
}

/** "*.shop.example" for a wildcard's authorization. */
export function nameOf({ identifier, wildcard }: Authorization): string {
  return wildcard === true ? `*.${identifier.value}` : identifier.value;
}

/** Before any hash: the same for every type. */
function keyAuthorizationOf({ client }: AcmeConnection, token: string): Promise<string> {
  return client.getChallengeKeyAuthorization({ type: "http-01", url: "", status: "pending", token });
}

async function isLookedAt({ client }: AcmeConnection, { url }: Authorization): Promise<boolean> {
  const [now] = await client.getAuthorizations({ authorizations: [url] } as never);
  return now?.challenges.some(({ status }) => status !== "pending") ?? false;
}
