import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { usePresence } from "./presence.ts";

/** Sends who is not signed in any more to the page for that, and remembers where he was. */
export function SessionGuard() {
  const presence = usePresence();
  const router = useRouter();
  useEffect(() => {
    if (presence === "in") return;
    const { href } = router.state.location;
    void router.navigate({ to: "/sign-in", search: { next: href } as never, replace: true });
  }, [presence, router]);
  return null;
}
