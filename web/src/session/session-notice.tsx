import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import { Clock } from "lucide-react";
import type { ReactNode } from "react";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { serverNow, useNow } from "../clock/now.ts";
import { Button } from "../ui/button.tsx";
import { Time } from "../ui/time.tsx";
import { lastUse } from "./presence.ts";

const idleMs = 30 * 60_000;
/** So long before a session ends, it is said. */
const noticeMs = 5 * 60_000;

/** Says that the session ends soon, while something can still be done. */
export function SessionNotice() {
  const { data, refetch, isFetching } = useQuery(SessionService.method.getSession);
  // Drawn again as time goes by.
  useNow();
  const session = data?.session;
  if (!session?.id || !session.expiresAt) return null;
  const now = serverNow().getTime();
  const expiresAt = timestampDate(session.expiresAt);
  const idleEndsAt = new Date(lastUse() + idleMs + (now - Date.now()));
  if (expiresAt.getTime() - now < noticeMs)
    return (
      <Notice>
        This session ends <Time at={expiresAt} />: sign in again after that.
      </Notice>
    );
  if (idleEndsAt.getTime() - now >= noticeMs) return null;
  return (
    <Notice>
      Nobody was here for a while: this session ends <Time at={idleEndsAt} />.
      <Button isSmall isPending={isFetching} onClick={() => void refetch()}>
        Stay signed in
      </Button>
    </Notice>
  );
}

function Notice({ children }: { children: ReactNode }) {
  return (
    <div
      role="status"
      className="tone-warn tone-tint flex flex-wrap items-center gap-2 border-line1 border-b px-4 py-1.5 text-fg0"
    >
      <Clock aria-hidden size={14} className="tone-text shrink-0" />
      {children}
    </div>
  );
}
