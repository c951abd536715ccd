import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { WorkItemSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { KeyAlgorithm } from "#gen/certctl/v1/certificates_pb.ts";
import { silent } from "../test/fixtures.ts";
import { openScratch } from "../test/openssl.ts";
import { openGenerations } from "./generations.ts";
import { openKeyStore } from "./keys.ts";
import type { Outbox } from "./outbox.ts";
import { perform, type WorkClient } from "./perform.ts";

const wanted = { keyId: "job-a", sans: ["a.example"], keyAlgorithm: KeyAlgorithm.ECDSA_P256 };
const item = (leaseTtlMs: number) =>
  create(WorkItemSchema, {
    jobId: "job-a",
    leaseId: "lease-a",
    leaseTtlMs,
    spec: { case: "generateCsr", value: wanted },
  });

/** Does a job with a control plane that answers each CSR with the next of these, and takes it when none is left. */
async function performed(leaseTtlMs: number, answers: Code[]) {
  await using scratch = await openScratch();
  const posted: Parameters<Outbox["post"]>[0][] = [];
  const csrs: string[] = [];
  const client = {
    async reportProgress() {},
    async submitCsr({ csrPem }: { csrPem: string }) {
      csrs.push(csrPem);
      const code = answers.shift();
      if (code !== undefined) throw new ConnectError("no", code);
    },
  } as unknown as WorkClient;
  const outbox: Outbox = { post: async (result) => void posted.push(result), async flush() {} };
  const keys = await openKeyStore(scratch.path("keys"));
  const generations = await openGenerations(scratch.path("."));
  const deps = {
    client: () => client,
    outbox,
    log: silent,
    keys,
    generations,
    hostFilePath: scratch.path("agent.yaml"),
    fetchKey: null,
  };
  await perform(deps, item(leaseTtlMs), new AbortController().signal);
  return { posted, csrs };
}

test("a job outlasts a control plane that is away for a moment, with the same CSR", async () => {
  const { posted, csrs } = await performed(60_000, [Code.Unavailable, Code.Internal]);
  expect(posted).toEqual([]);
  expect(csrs).toHaveLength(3);
  expect(new Set(csrs).size).toBe(1);
});

test("a job that nobody takes for as long as a lease fails, and may be tried again", async () => {
  const { posted } = await performed(100, Array<Code>(50).fill(Code.Internal));
  expect(posted).toMatchObject([
    { jobId: "job-a", leaseId: "lease-a", result: { value: { step: "submit", retryable: true } } },
  ]);
});

test("a refused CSR fails the job for good", async () => {
  const { posted } = await performed(60_000, [Code.FailedPrecondition]);
  expect(posted).toMatchObject([{ result: { case: "failed", value: { retryable: false } } }]);
});
