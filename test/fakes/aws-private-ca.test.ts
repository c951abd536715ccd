import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newCsr } from "../fixtures.ts";
import { temporaryDirectory } from "../site.ts";
import { type AwsPrivateCa, startAwsPrivateCa } from "./aws-private-ca.ts";

const run = promisify(execFile);

let parts: AsyncDisposableStack;
let aws: AwsPrivateCa;
let directory: string;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  aws = parts.use(await startAwsPrivateCa(() => new Date()));
  directory = parts.use(await temporaryDirectory()).path;
  await writeFile(join(directory, "ca.pem"), aws.server.ca);
  await writeFile(join(directory, "csr.pem"), newCsr(["site.example"]).csrPem);
});
afterAll(() => parts.disposeAsync());

/** AWS's own client, with a model of the API that nobody here wrote; what it prints. */
async function client(operation: string, args: string[] = [], secret = aws.secretAccessKey) {
  const env = {
    PATH: process.env["PATH"],
    HOME: directory,
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_DEFAULT_REGION: aws.region,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
  };
  const where = ["--endpoint-url", aws.server.url, "--ca-bundle", join(directory, "ca.pem")];
  const what = ["--certificate-authority-arn", aws.caArn, ...args, "--output", "json"];
  const { stdout } = await run("aws", ["acm-pca", operation, ...where, ...what], { env });
  return stdout === "" ? null : JSON.parse(stdout);
}

describe("the fake of AWS Private CA", () => {
  test("is taken for AWS by AWS's own client, from describing to revoking", async () => {
    const { CertificateAuthority: described } = await client("describe-certificate-authority");
    expect(described).toMatchObject({ Status: "ACTIVE", UsageMode: "GENERAL_PURPOSE" });
    // Version 1 of the client prints Unix seconds.
    const { NotAfter: end } = described;
    expect(new Date(typeof end === "number" ? end * 1000 : end)).toEqual(aws.notAfter);
    const { CertificateArn: arn } = await client("issue-certificate", [
      ...["--csr", `fileb://${join(directory, "csr.pem")}`, "--signing-algorithm", "SHA256WITHECDSA"],
      ...["--validity", "Value=7,Type=DAYS", "--idempotency-token", "1234"],
    ]);
    aws.pending = 1;
    const get = () => client("get-certificate", ["--certificate-arn", arn]);
    await expect(get()).rejects.toThrow("RequestInProgressException");
    const { Certificate: leaf, CertificateChain: chain } = await get();
    expect(leaf).toBe(aws.issued[0]?.leafPem);
    expect(chain).toMatch(/^-----BEGIN CERTIFICATE-----/);
    const serial = (aws.issued[0]?.serial.match(/../g) ?? []).join(":").toLowerCase();
    const revocation = ["--certificate-serial", serial, "--revocation-reason", "SUPERSEDED"];
    await client("revoke-certificate", revocation);
    expect([...aws.revoked.values()]).toEqual(["SUPERSEDED"]);
    await expect(client("revoke-certificate", revocation)).rejects.toThrow(
      "RequestAlreadyProcessedException",
    );
  });

  test("tells a wrong signature from the client's right one", async () => {
    await expect(client("describe-certificate-authority", [], "another")).rejects.toThrow(
      "InvalidSignatureException",
    );
  });
});
