import { createServer, type Server } from "node:http";
import { type Listening, shareListener } from "./shared-listener.ts";

const prefix = "/.well-known/acme-challenge/";

/** Answers http-01 by itself (RFC 8555, 8.3), on a port that is open while a challenge is. */
export function createHttpResponder(): {
  /** Returns how to take the answer away. */
  publish(
    listen: string,
    challenge: { token: string; keyAuthorization: string },
  ): Promise<() => Promise<void>>;
} {
  const answers = new Map<string, string>();
  const open = shareListener((): Listening => {
    const server: Server = createServer(
      { requestTimeout: 10_000, headersTimeout: 10_000 },
      (request, response) => {
        const path = request.url ?? "";
        const answer = path.startsWith(prefix) ? answers.get(path.slice(prefix.length)) : undefined;
        if (answer === undefined || request.method !== "GET") response.writeHead(404).end();
        else response.writeHead(200, { "content-type": "application/octet-stream" }).end(answer);
      },
    );
    return { server, end: () => server.closeAllConnections() };
  });
  return {
    async publish(listen, { token, keyAuthorization }) {
      answers.set(token, keyAuthorization);
      const close = await open(listen).catch((error: unknown) => {
        answers.delete(token);
        throw error;
      });
      return async () => {
        answers.delete(token);
        await close();
      };
    },
  };
}
