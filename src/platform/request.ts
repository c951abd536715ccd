import { createContextKey } from "@connectrpc/connect";

/** The id that ties a request's answer, log lines and audit rows together. */
export const requestIdKey = createContextKey<string>("", { description: "request id" });
