import { useQuery } from "@connectrpc/connect-query";
import { ApiKeyRoleSchema } from "#gen/certctl/v1/api_keys_pb.ts";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { wordsOf } from "../../../src/platform/words.ts";

/** Whether the caller may do something, and why not. */
export interface Permission {
  isAllowed: boolean;
  /** For `disabledReason`; undefined where it is allowed. */
  reason: string | undefined;
}

export const roleWords = wordsOf(ApiKeyRoleSchema);

/** Who is signed in, what he may do, and what control plane answers; undefined until it is known. */
export function useSession() {
  return useQuery(SessionService.method.getSession).data?.session;
}

/**
 * What the control plane would say to a call that needs this permission: "certificates:renew". Until it is known who calls,
 * nothing is hidden: the control plane refuses by itself.
 */
export function usePermission(permission: string): Permission {
  const session = useSession();
  if (!session || session.permissions.includes(permission)) return { isAllowed: true, reason: undefined };
  const isRestricted = session.teamIds.length + session.issuerIds.length > 0;
  const holder = `${isRestricted ? "a restricted key" : "a key"} with the role ${roleWords.text(session.role)}`;
  return { isAllowed: false, reason: `Needs ${permission}, which ${holder} does not have` };
}
