import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCli } from "./cli.ts";
import { type System, startSystem } from "./system.ts";

/** The wrapping key is changed under a whole control plane. */

const secret = "a secret of twenty characters";

/** What only a control plane that opens its secrets can do: sign, and keep a masked secret. */
async function works({ rest, startAgent, renew }: System, name: string): Promise<void> {
  await using _agent = await startAgent(`ag-${name}`);
  const certificate = { id: `mc-${name}`, name, common_name: `${name}.example.test`, agent_id: `ag-${name}` };
  await rest("POST", "/api/v1/certificates", certificate);
  expect(await renew(`mc-${name}`)).toMatchObject({ outcome: "Issued" });
  const masked = { name: "hook", config: { url: "https://hook.example/", secret: "********" } };
  expect(await rest("PUT", "/api/v1/notifiers/nf-hook", masked)).toMatchObject({ status: 200 });
}

async function declareSecret({ rest }: System): Promise<void> {
  const config = { url: "https://hook.example/", secret };
  await rest("POST", "/api/v1/notifiers", { id: "nf-hook", name: "hook", kind: "webhook", config });
}

describe("certctl keys rotate", () => {
  test("with the embedded database makes a key of its own, while the control plane is stopped", async () => {
    await using system = await startSystem({ isEmbedded: true });
    await using cli = await openCli(system);
    await declareSecret(system);
    const env = { CERTCTL_DATA_DIR: system.dataDir };
    const rotate = () => cli.run(["keys", "rotate"], { env });
    expect(await rotate()).toMatchObject({ code: 1, err: expect.stringContaining(system.dataDir) });
    const keyOf = () => readFile(join(system.dataDir, "encryption.key"), "utf8");
    const before = await keyOf();

    await system.server().end("SIGTERM");
    expect(await rotate()).toMatchObject({
      code: 0,
      out: expect.stringMatching(/authorities: 5\n.*notifiers: 1/s),
    });
    expect(await keyOf()).not.toBe(before);
    await system.restartServer();
    await works(system, "after");
  });

  test("with a database of one's own runs beside the control plane, which seals with the new key already", async () => {
    const [oldKey, newKey] = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64"));
    const keys = (key = "", others = "") => ({
      CERTCTL_CONFIG_ENCRYPTION_KEY: key,
      CERTCTL_CONFIG_DECRYPTION_KEYS: others,
    });
    await using system = await startSystem({ env: keys(oldKey) });
    await using cli = await openCli(system);
    await declareSecret(system);
    const env = { DATABASE_URL: system.databaseUrl, CERTCTL_DATA_DIR: system.dataDir };
    const rotate = (key?: string, others?: string) =>
      cli.run(["keys", "rotate"], { env: { ...env, ...keys(key, others) } });

    await system.server().end("SIGTERM");
    await system.restartServer(keys(newKey, oldKey));
    await works(system, "between");
    expect(await rotate(newKey)).toMatchObject({ code: 1, err: expect.stringContaining("DECRYPTION_KEYS") });
    expect(await rotate(newKey, oldKey)).toEqual({
      code: 0,
      out: expect.stringContaining("authorities: 5"),
      err: "",
    });
    expect(await rotate(newKey, oldKey)).toEqual({
      code: 0,
      err: "",
      out: "everything is sealed with the encryption key already\n",
    });
    await works(system, "rotated");

    await system.server().end("SIGTERM");
    await expect(system.restartServer(keys(oldKey))).rejects.toThrow("CERTCTL_CONFIG_ENCRYPTION_KEY");
    await system.restartServer(keys(newKey));
    await works(system, "after");
  });
});
