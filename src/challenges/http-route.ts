import type { PkiRoute } from "../pki/listener.ts";
import type { Database } from "../platform/database.ts";

/**
 * Answers http-01 challenges (RFC 8555, 8.3) for whatever name leads here: any replica does, because the answers lie in the
 * database. Who asks has to know the token.
 */
export function challengeRoute(db: Database): PkiRoute {
  return {
    prefix: "/.well-known/acme-challenge/",
    methods: ["GET"],
    async answer({ rest: token }) {
      if (!/^[A-Za-z0-9_-]{16,512}$/.test(token)) return null;
      const found = await db.challenge.findFirst({ where: { type: "http-01", token } });
      if (!found) return null;
      const headers = { "content-type": "application/octet-stream", "cache-control": "no-store" };
      return { status: 200, headers, body: found.keyAuthorization };
    },
  };
}
