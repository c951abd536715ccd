import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { ApiKeyRoleSchema } from "#gen/certctl/v1/api_keys_pb.ts";
import { type Session, SessionSchema, type SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { heldPermissions } from "../auth/access.ts";
import { browserKey, sessionCookie } from "../auth/browser.ts";
import { callerKey } from "../auth/caller.ts";
import { type Operator, principalKey } from "../auth/principal.ts";
import type { Database } from "../platform/database.ts";
import { conflict, denied, unauthenticated } from "../platform/errors.ts";
import { requestIdKey } from "../platform/request.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import { beginSession, lifetimeMs } from "./begin.ts";
import { endSession } from "./end.ts";
import { createRecordFailure } from "./failures.ts";

const roleWords = wordsOf(ApiKeyRoleSchema);

export function sessionService(deps: {
  db: Database;
  clock: () => Date;
  server: { version: string; keygenMode: string; authType: string };
}): ServiceImpl<typeof SessionService> {
  const { db, clock, server } = deps;
  const recordFailure = createRecordFailure(deps);

  async function describe(operator: Operator): Promise<Session> {
    const key = await db.apiKey.findUnique({ where: { id: operator.id } });
    const { id = "", idleEndsAt = null, expiresAt = key?.expiresAt ?? null } = operator.session ?? {};
    return create(SessionSchema, {
      id,
      principalId: operator.id,
      name: key?.name ?? "",
      role: roleWords.value(operator.role),
      permissions: heldPermissions(operator),
      teamIds: [...operator.grants.teamIds],
      issuerIds: [...operator.grants.issuerIds],
      ...timestamps({ expiresAt, idleEndsAt }),
      server: { ...server, time: timestampFromDate(clock()) },
    });
  }

  return {
    async createSession({ apiKey }, context) {
      if (server.authType === "none")
        throw conflict(
          "NO_SIGN_IN",
          "no key is asked for here (CERTCTL_AUTH_TYPE is none): call without one",
        );
      requireOwnPage(context);
      const { address } = context.values.get(callerKey);
      const signIn = { apiKey, address, requestId: context.values.get(requestIdKey) };
      const { operator, token } = await beginSession(deps, signIn).catch(async (error: unknown) => {
        if (error instanceof ConnectError && error.code === Code.Unauthenticated)
          await recordFailure(signIn, error.rawMessage);
        throw error;
      });
      context.responseHeader.append("set-cookie", cookie(token, lifetimeMs / 1000));
      return { session: await describe(operator) };
    },
    async getSession(_, { values }) {
      const principal = values.get(principalKey);
      if (principal?.kind !== "operator") throw unauthenticated("a credential is needed");
      return { session: await describe(principal) };
    },
    async deleteSession(_, context) {
      requireOwnPage(context);
      const { token } = context.values.get(browserKey);
      if (token !== null) await endSession(db, token, context.values.get(requestIdKey));
      context.responseHeader.append("set-cookie", cookie("", 0));
      return {};
    },
  };
}

/** Nobody is signed in or out by another's page. Programs, which send no Origin, may. */
function requireOwnPage({ values }: HandlerContext): void {
  const { token, page } = values.get(browserKey);
  if (page === "foreign" || (page === "none" && token !== null))
    throw denied("a session begins and ends on certctl's own pages only");
}

function cookie(value: string, seconds: number): string {
  return `${sessionCookie}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Strict`;
}
