import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, describe, expect, test } from "vitest";
import type { ReportResultRequest } from "#gen/certctl/v1/agent_work_pb.ts";
import { failed, silent, succeeded } from "../test/fixtures.ts";
import { openScratch, type Scratch } from "../test/openssl.ts";
import { openOutbox } from "./outbox.ts";

let scratch: Scratch;
let stop: AbortController;
beforeEach(async () => {
  scratch = await openScratch();
  stop = new AbortController();
  return () => scratch[Symbol.asyncDispose]();
});

const directory = () => scratch.path("outbox");
const waiting = async () => (await readdir(directory())).sort();
const result = (jobId: string, leaseId = "lease-1") => ({
  jobId,
  leaseId,
  result: succeeded("ab".repeat(32)),
});

/** An outbox to a control plane that answers each call with the next of these; then it takes everything. */
async function open(...answers: (Code | null)[]) {
  const sent: ReportResultRequest[] = [];
  const outbox = await openOutbox({
    directory: directory(),
    log: silent,
    signal: stop.signal,
    async send(request) {
      const code = answers.shift() ?? null;
      if (code !== null) throw new ConnectError("no", code);
      sent.push(request);
    },
  });
  return { outbox, sent };
}

/** Stores a result that cannot be sent, and stops the agent. */
async function leave(jobId: string, leaseId?: string): Promise<void> {
  const { outbox } = await open(...Array<Code>(50).fill(Code.Unavailable));
  const posting = outbox.post(result(jobId, leaseId));
  await expect.poll(waiting).toContain(`${jobId}.json`);
  stop.abort();
  await posting;
  stop = new AbortController();
}

describe("a result", () => {
  test("is sent and then forgotten", async () => {
    const { outbox, sent } = await open();
    await outbox.post(result("job-a"));
    expect(sent).toMatchObject([result("job-a")]);
    expect(await waiting()).toEqual([]);
  });

  test("is sent again until the control plane takes it", async () => {
    const { outbox, sent } = await open(Code.Unavailable, Code.Internal);
    await outbox.post(result("job-a"));
    expect(sent).toMatchObject([result("job-a")]);
    expect(await waiting()).toEqual([]);
  });

  test("that cannot be sent survives the agent, whole", async () => {
    await leave("job-a");
    expect(await waiting()).toEqual(["job-a.json"]);
    const { outbox, sent } = await open();
    await outbox.flush();
    expect(sent).toMatchObject([result("job-a")]);
    expect(await waiting()).toEqual([]);
  });

  test("of a failure keeps what failed", async () => {
    const { outbox, sent } = await open();
    await outbox.post({ ...result("job-a"), result: failed(true) });
    expect(sent[0]?.result).toMatchObject(failed(true));
  });

  test("takes the place of an older one of the same job", async () => {
    await leave("job-a", "lease-1");
    await leave("job-a", "lease-2");
    expect(await waiting()).toEqual(["job-a.json"]);
    const { outbox, sent } = await open();
    await outbox.flush();
    expect(sent.map(({ leaseId }) => leaseId)).toEqual(["lease-2"]);
  });

  test("stays inside the outbox, whatever its job is called", async () => {
    const { outbox } = await open(...Array<Code>(50).fill(Code.Unavailable));
    const posting = outbox.post(result("../../job-a"));
    await expect.poll(waiting).toHaveLength(1);
    stop.abort();
    await posting;
    expect(await readdir(scratch.path("."))).toEqual(["outbox"]);
  });
});

describe("a result that the control plane will never take", () => {
  const codes = ["Aborted", "NotFound", "FailedPrecondition", "InvalidArgument", "PermissionDenied"] as const;
  test.each(codes)("is dropped: %s", async (name) => {
    const { outbox, sent } = await open(Code[name]);
    await outbox.post(result("job-a"));
    expect(sent).toEqual([]);
    expect(await waiting()).toEqual([]);
  });
});

describe("a flush", () => {
  test("sends everything that waits", async () => {
    for (const jobId of ["job-a", "job-b", "job-c"]) await leave(jobId);
    const { outbox, sent } = await open(null, Code.Aborted);
    await outbox.flush();
    expect(sent.map(({ jobId }) => jobId)).toEqual(["job-a", "job-c"]);
    expect(await waiting()).toEqual([]);
  });

  test("throws when the control plane cannot be reached, and keeps what waits", async () => {
    await leave("job-a");
    const before = await readFile(scratch.path("outbox/job-a.json"), "utf8");
    const { outbox } = await open(Code.Unavailable);
    await expect(outbox.flush()).rejects.toThrow("unavailable");
    expect(await readFile(scratch.path("outbox/job-a.json"), "utf8")).toBe(before);
  });

  test("of an empty outbox does nothing", async () => {
    const { outbox, sent } = await open();
    await outbox.flush();
    expect(sent).toEqual([]);
  });
});

describe("what an earlier run left", () => {
  test("tells of steps that are as much older as it waited", async () => {
    const left = await open(...Array<Code>(50).fill(Code.Unavailable));
    const posting = left.outbox.post({ ...result("job-old"), steps: [{ step: "switched", agoMs: 10 }] });
    await expect.poll(waiting).toContain("job-old.json");
    stop.abort();
    await posting;
    stop = new AbortController();
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(directory(), "job-old.json"), anHourAgo, anHourAgo);

    const { outbox, sent } = await open();
    await outbox.flush();
    const age = sent[0]?.steps[0]?.agoMs ?? 0;
    expect(age).toBeGreaterThanOrEqual(3_600_010);
    expect(age).toBeLessThan(3_700_000);
  });

  test("and cannot be read keeps nothing else back", async () => {
    await leave("job-good");
    await writeFile(join(directory(), "job-bad.json"), "{");
    const { outbox, sent } = await open();
    await outbox.flush();
    expect(sent).toMatchObject([result("job-good")]);
    expect(await waiting()).toEqual(["job-bad.json"]);
  });
});
