import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { alreadyExists, conflict, denied, invalid, outdated, unauthenticated } from "../platform/errors.ts";
import { type RunningGateway, startGateway } from "./gateway-fixture.ts";

/** A gateway whose one method throws. */
function failing(error: unknown): Promise<RunningGateway> {
  return startGateway({
    routes: (router) =>
      router.service(CertificateService, {
        getCertificate: () => {
          throw error;
        },
      }),
  });
}

const target = "GET /api/v1/certificates/mc-1";

describe("errors", () => {
  test("have exactly the fields of the contract", async () => {
    await using gateway = await failing(outdated("LEASE_LOST", "the lease is another's"));
    for (const ask of [gateway.h1, gateway.h2]) {
      const { status, json, headers } = await ask(target);
      expect(status).toBe(409);
      expect(json).toEqual({
        error: "Conflict",
        code: "aborted",
        reason: "LEASE_LOST",
        message: "the lease is another's",
        request_id: "req-1",
        details: [],
      });
      expect(headers).toMatchObject({ "x-request-id": "req-1", "cache-control": "no-store" });
    }
    expect(gateway.errors).toEqual([]);
  });

  test("name the fields that an implementation refuses", async () => {
    const violations = [
      { field: "sans[1]", description: "is not a DNS name" },
      { field: "issuer_id", description: "does not exist" },
    ] as const;
    await using gateway = await failing(invalid(...violations));
    expect(await gateway.h1(target)).toMatchObject({ status: 400, json: { details: violations } });
  });

  test.each([
    [conflict("IN_USE", "x"), 409, "failed_precondition"],
    [alreadyExists("certificate", "mc-1"), 409, "already_exists"],
    [denied("x"), 403, "permission_denied"],
    [new ConnectError("x", Code.OutOfRange), 400, "out_of_range"],
    [new ConnectError("x", Code.DeadlineExceeded), 504, "deadline_exceeded"],
    [new ConnectError("x", Code.Unimplemented), 501, "unimplemented"],
    [new ConnectError("x", Code.Unavailable), 503, "unavailable"],
    [new ConnectError("x", Code.DataLoss), 500, "data_loss"],
    [new ConnectError("x", Code.Canceled), 499, "canceled"],
  ])("have the status of their code: %s", async (error, status, code) => {
    await using gateway = await failing(error);
    expect(await gateway.h1(target)).toMatchObject({ status, json: { code } });
    expect(gateway.errors).toEqual(status >= 500 ? [error] : []);
  });

  test("ask for a credential", async () => {
    await using gateway = await failing(unauthenticated("a credential is needed", "NO_CREDENTIAL"));
    const { status, json, headers } = await gateway.h1(target);
    expect(status).toBe(401);
    expect(json).toMatchObject({ error: "Unauthorized", reason: "NO_CREDENTIAL" });
    expect(headers["www-authenticate"]).toBe("Bearer");
  });

  test("say when to try again, and hold back every other header of a call that failed elsewhere", async () => {
    const metadata = { "retry-after": "7", "content-length": "9999", "set-cookie": "a=b", "x-inner": "1" };
    await using gateway = await failing(new ConnectError("slow down", Code.ResourceExhausted, metadata));
    const { status, json, headers } = await gateway.h1(target);
    expect(status).toBe(429);
    expect(json).toMatchObject({ error: "Too Many Requests", code: "resource_exhausted" });
    expect(headers["retry-after"]).toBe("7");
    expect(headers).not.toHaveProperty("set-cookie");
    expect(headers).not.toHaveProperty("x-inner");
  });

  test.each([[new Error("password=hunter2")], ["password=hunter2"], [undefined]])(
    "say nothing of what else was thrown: %s",
    async (thrown) => {
      await using gateway = await failing(thrown);
      const { status, json, text } = await gateway.h1(target);
      expect(status).toBe(500);
      expect(json).toMatchObject({
        error: "Internal Server Error",
        code: "internal",
        message: "internal error",
      });
      expect(text).not.toContain("hunter2");
      expect(gateway.errors).toEqual([thrown]);
    },
  );

  test("tell of a request that cannot be set up", async () => {
    const broken = new Error("no values");
    await using gateway = await startGateway({
      routes: () => undefined,
      contextValues: () => {
        throw broken;
      },
    });
    expect(await gateway.h2(target)).toMatchObject({ status: 500, json: { request_id: "" } });
    expect(gateway.errors).toEqual([broken]);
  });
});
