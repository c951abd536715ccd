import type { Pool } from "pg";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { pendingMigrations } from "./migrate.ts";

/** Answers for load balancers: is the process alive, and should it get requests? */
export interface Health {
  /** Answers /health and /ready; false for any other path. */
  answer(request: HttpRequest, response: HttpResponse): boolean;
  /** From here on /ready says no. */
  drain(): void;
}

const checkMs = 3_000;

export function createHealth(pool: Pool): Health {
  let isDraining = false;

  async function problem(): Promise<string | null> {
    if (isDraining) return "draining";
    try {
      const pending = await within(checkMs, pendingMigrations(pool));
      return pending.length === 0 ? null : `migrations are missing: ${pending.join(", ")}`;
    } catch {
      return "the database does not answer";
    }
  }

  return {
    answer(request, response) {
      if (request.url === "/health") {
        send(response, 200, { status: "ok" });
        return true;
      }
      if (request.url !== "/ready") return false;
      void problem().then((reason) => {
        if (reason === null) send(response, 200, { status: "ready" });
        else send(response, 503, { status: "not ready", reason });
      });
      return true;
    },
    drain() {
      isDraining = true;
    },
  };
}

/** Answers a path that nothing is served at. */
export function notFoundPage(
  _request: unknown,
  response: Pick<HttpResponse, "statusCode" | "setHeader" | "end">,
): void {
  send(response, 404, { error: "Not Found", code: "not_found", message: "the API lies below /api/v1/" });
}

function send(
  response: Pick<HttpResponse, "statusCode" | "setHeader" | "end">,
  status: number,
  body: Record<string, string>,
): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify(body)}\n`);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
