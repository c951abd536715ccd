import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { JobSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { attemptsOf, diagnosisOf } from "../web/src/pages/jobs/attempts.ts";

const start = Date.UTC(2030, 5, 1);

function job(...steps: string[]) {
  return create(JobSchema, {
    id: "job-1",
    certificateName: "shop",
    certificateId: "mc-shop",
    agentName: "web",
    agentId: "ag-web",
    attempts: 2,
    maxAttempts: 5,
    error: { step: "reload", message: "exit 1" },
    timeline: steps.map((step, index) => ({
      step,
      jobId: step.startsWith("child ") ? "job-2" : "job-1",
      at: timestampFromDate(new Date(start + index * 1_000)),
      attempt: 1,
    })),
  });
}

describe("a job's attempts", () => {
  test("each end with the step that failed and with the plan for the next", () => {
    const attempts = attemptsOf(
      job(
        "created",
        "delivered",
        "accepted",
        "failed",
        "retry_planned",
        "delivered",
        "accepted",
        "child proven",
        "proven",
      ),
    );
    expect(
      attempts.map(({ number, isFailed, lines }) => [number, isFailed, lines.map(({ step }) => step)]),
    ).toEqual([
      [1, true, ["created", "delivered", "accepted", "failed", "retry_planned"]],
      [2, false, ["delivered", "accepted", "proven"]],
    ]);
    expect(attempts[0]?.lines.map(({ afterMs }) => afterMs).slice(0, 4)).toEqual([
      undefined,
      1_000,
      1_000,
      1_000,
    ]);
    expect(attempts[0]?.lines[3]?.isProblem).toBe(true);
  });

  test("are one as long as nothing failed, and none before anything happened", () => {
    expect(attemptsOf(job("created", "accepted"))).toHaveLength(1);
    expect(attemptsOf(job())).toEqual([]);
  });
});

test("a diagnosis says what, where, why and every step", () => {
  const names = { type: "Deployment", status: "Failed", failure: "Target" };
  expect(diagnosisOf(job("created", "failed"), names).split("\n")).toEqual([
    "certctl job job-1: Deployment, Failed, attempt 2 of 5",
    "certificate shop (mc-shop)",
    "agent web (ag-web)",
    "failed at reload, Target: exit 1",
    "",
    "2030-06-01T00:00:00.000Z #1 created",
    "2030-06-01T00:00:01.000Z #1 failed",
  ]);
});
