import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const file = "proto/certctl/v1/certificates.proto";
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "certctl-breaking-"));
  for (const path of ["buf.yaml", "proto", "gen/third_party"])
    await cp(path, join(directory, path), { recursive: true });
});

afterAll(() => rm(directory, { recursive: true }));

/** What the check says of the released contract and a changed one; "" when it has nothing against it. */
async function complaint(change: (source: string) => string): Promise<string> {
  const source = await readFile(file, "utf8");
  const changed = change(source);
  const image = join(directory, "changed.binpb");
  await writeFile(join(directory, file), changed);
  await run("buf", ["build", "-o", image], { cwd: directory });
  return run("buf", ["breaking", image, "--against", "proto/released.binpb"], { cwd: directory }).then(
    () => "",
    ({ stdout }: { stdout: string }) => stdout,
  );
}

describe("the released contract", () => {
  test("holds for the protos as they are, and lets fields be added", async () => {
    expect(await complaint((source) => source)).toBe("");
    expect(
      await complaint((source) =>
        source.replace("message Certificate {", "message Certificate {\n  string more = 999;"),
      ),
    ).toBe("");
  });

  test("lets no field be deleted, renumbered or retyped, and no call go", async () => {
    const without = (source: string) => source.replace("  string serial_number = 11;\n", "");
    expect(await complaint(without)).toContain('"serial_number"');
    const renumbered = (source: string) => source.replace("serial_number = 11;", "serial_number = 998;");
    expect(await complaint(renumbered)).toContain('"11"');
    const retyped = (source: string) =>
      source.replace("string serial_number = 11;", "bool serial_number = 11;");
    expect(await complaint(retyped)).toContain("bool");
    const uncalled = (source: string) => source.replace(/ {2}rpc DeployCertificate\([\s\S]*?\n {2}\}\n/, "");
    expect(await complaint(uncalled)).toContain('"DeployCertificate"');
  });
});
