import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { refusalOf } from "../../test/fixtures.ts";
import { createSealer, SealError } from "../platform/seal.ts";
import { configSchema } from "./fields.ts";
import { mask, maskSecrets, openSecrets, readWanted, reseal, sealSecrets } from "./secrets.ts";

const secret = () => z.string().min(3).meta({ secret: true });
const schema = z.strictObject({
  url: z.url().meta({ destination: true }),
  // Named like a secret, and none: it is the schema that says so.
  key_path: z.string().default("/etc/key"),
  auth: z.strictObject({ user: z.string(), password: secret() }).optional(),
  headers: z.record(z.string(), secret()).optional(),
  tokens: z.array(z.strictObject({ token: secret() })).optional(),
  proof: z.union([z.strictObject({ pin: secret() }), z.strictObject({ certificate: z.string() })]).optional(),
});
const config = {
  url: "https://a.example",
  key_path: "/etc/key",
  auth: { user: "me", password: "hunter2" },
  headers: { "x-api-key": "header secret" },
  tokens: [{ token: "first" }, { token: "second" }],
  proof: { pin: "1234" },
};
const secrets = ["hunter2", "header secret", "first", "second", "1234"];
const place = { table: "notifiers", id: "nf-a" };
const key = randomBytes(32);
const sealer = createSealer(key);
const stored = sealSecrets(sealer, place, schema, config);
const maskedConfig = maskSecrets(stored);

const wanting = (wanted: object, current: typeof config | null = config) =>
  readWanted(schema, wanted as typeof config, current);
const refused = (wanted: object, current: typeof config | null = config) =>
  refusalOf(Promise.resolve().then(() => wanting(wanted, current)));

describe("secrets of a connector", () => {
  test("are sealed wherever the schema marks one, and nothing else is", () => {
    for (const text of secrets) expect(JSON.stringify(stored)).not.toContain(text);
    expect(stored).toMatchObject({ url: config.url, key_path: "/etc/key", auth: { user: "me" } });
    expect(openSecrets(sealer, place, stored)).toEqual(config);
  });

  test("are masked for readers, whatever else is called key", () => {
    expect(maskedConfig).toEqual({
      ...config,
      auth: { user: "me", password: mask },
      headers: { "x-api-key": mask },
      tokens: [{ token: mask }, { token: mask }],
      proof: { pin: mask },
    });
  });

  test("that are not there are neither sealed nor masked", () => {
    const plain = { url: "https://a.example", key_path: "x" };
    expect(sealSecrets(sealer, place, schema, plain)).toEqual(plain);
    expect(maskSecrets(plain)).toEqual(plain);
  });

  test("open in their own row and field only", () => {
    expect(() => openSecrets(sealer, { ...place, id: "nf-b" }, stored)).toThrow(SealError);
    const moved = { ...stored, headers: { "x-api-key": (stored["auth"] as typeof config.auth).password } };
    expect(() => openSecrets(sealer, place, moved)).toThrow(SealError);
  });

  test("go from one wrapping key to another without the schema", () => {
    const nextKey = randomBytes(32);
    const next = createSealer(nextKey);
    const moved = reseal(createSealer(nextKey, [key]), place, stored);
    expect(openSecrets(next, place, moved)).toEqual(config);
    expect(() => openSecrets(sealer, place, moved)).toThrow(SealError);
  });

  test("are marked in the JSON Schema that forms are drawn from", () => {
    expect(configSchema(schema)).toMatchObject({
      properties: { url: { destination: true }, auth: { properties: { password: { secret: true } } } },
    });
  });
});

describe("a mask that comes back", () => {
  test("keeps the secret, in every place, and is never stored", () => {
    expect(wanting(maskedConfig)).toEqual(config);
    const renamed = { ...maskedConfig, key_path: "/other" };
    expect(wanting(renamed)).toEqual({ ...config, key_path: "/other" });
  });

  test("does not keep it for another destination", async () => {
    const refusal = await refused({ ...maskedConfig, url: "https://evil.example" });
    expect(refusal).toMatchObject({ code: "InvalidArgument" });
    expect(refusal.message).toContain("enter the secret again");
    expect(refusal.message).toContain("config.url changed");
    expect(refusal.fields).toEqual([
      "config.auth.password",
      "config.headers.x-api-key",
      "config.tokens[0].token",
      "config.tokens[1].token",
      "config.proof.pin",
    ]);
  });

  test("with the secrets entered again goes to another destination", () => {
    const moved = { ...config, url: "https://b.example" };
    expect(wanting(moved)).toEqual(moved);
  });

  test("where there is no secret to keep is refused", async () => {
    expect(await refused(maskedConfig, null)).toMatchObject({ code: "InvalidArgument" });
    const added = { ...maskedConfig, headers: { "x-api-key": mask, "x-new": mask } };
    expect((await refused(added)).fields).toEqual(["config.headers.x-new"]);
  });

  test("in the form that is stored is refused", async () => {
    const forged = { ...config, auth: (stored["auth"] ?? {}) as object };
    expect((await refused(forged)).fields).toEqual(["config.auth.password"]);
  });

  test("does not hide other mistakes", async () => {
    const wrong = { ...maskedConfig, key_path: 7, sudo: true };
    expect((await refused(wrong)).fields.sort()).toEqual(["config", "config.key_path"]);
  });
});
