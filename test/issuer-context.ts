import { randomUUID } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import type { IssueRequest, IssuerContext } from "../src/issuers/issuer.ts";
import { createEgress } from "../src/platform/egress.ts";
import { serverCommands } from "../src/server-commands/server-commands.ts";
import { newCsr } from "./fixtures.ts";
import { noIssuing } from "./trees.ts";

const day = 86_400;

/** What a connector is lent, without a control plane: the order's state is kept in memory. */
export interface TestContext extends IssuerContext {
  /** What the order's state is. */
  state: JsonObject | null;
  /** Everything that was ever written to it. */
  written: (JsonObject | null)[];
}

export function testContext(changes: Partial<IssuerContext> = {}): TestContext {
  const context: TestContext = {
    state: null,
    written: [],
    signal: new AbortController().signal,
    clock: () => new Date(),
    egress: createEgress(["127.0.0.0/8", "::1/128"]),
    commands: serverCommands("/nonexistent"),
    issuerId: "iss-test",
    jobId: "job-test",
    issuing: noIssuing,
    order: {
      read: async () => context.state,
      async write(state) {
        context.state = state;
        context.written.push(state);
      },
    },
    progress: async () => {},
    budget: { take: async () => {}, release: async () => {} },
    account: { read: async () => null, change: async (make) => make(null) },
    askAgent: () => Promise.reject(new Error("no agent is there")),
    challenges: {
      keep: () => Promise.reject(new Error("no challenge is kept")),
      kept: async () => [],
      forget: async () => {},
    },
    record: () => Promise.reject(new Error("nothing is recorded for another's CA")),
    ...changes,
  };
  return context;
}

/** A request for a key of its own. */
export function issueRequest(
  sans: readonly string[] = ["site.example"],
  changes: Partial<IssueRequest> = {},
): IssueRequest {
  return {
    keyId: `job-${randomUUID()}`,
    commonName: sans[0] ?? "",
    sans,
    csr: newCsr(sans).der,
    validitySeconds: 46 * day,
    now: new Date(),
    replaces: null,
    ...changes,
  };
}
