import { describe, expect, test } from "vitest";
import { configSchema } from "../src/connectors/fields.ts";
import { notifierByKind } from "../src/notifiers/registry.ts";
import { targetByKind } from "../src/targets/registry.ts";
import { configSchema as targetSchema } from "../src/targets/target.ts";
import { configOf, draftOf, fieldsOf, labelOf, type Schema, shownFields } from "../web/src/forms/schema.ts";

const email = fieldsOf(configSchema(notifierByKind.get("email")?.config as never) as Schema);
const named = (name: string) => email.find((field) => field.name === name);

describe("a form's fields", () => {
  test("are drawn from a connector's own schema, secrets and choices as such", () => {
    expect(named("host")).toMatchObject({ label: "Host", kind: "text", isRequired: true });
    expect(named("port")).toMatchObject({
      kind: "number",
      isRequired: false,
      fallback: "587",
      maximum: 65_535,
    });
    expect(named("security")).toMatchObject({ kind: "choice", choices: ["starttls", "tls"] });
    expect(named("password")).toMatchObject({ kind: "secret" });
    expect(named("ca")).toMatchObject({ label: "CA", kind: "long" });
    const nginx = fieldsOf(targetSchema(targetByKind.get("nginx") as never) as Schema);
    expect(nginx[0]).toMatchObject({ label: "Entry in agent.yaml", isRequired: true });
    expect(nginx[0]?.hint).toContain("owner");
  });

  test("take in what lies within an object, and leave to JSON what they do not know", () => {
    const schema: Schema = {
      properties: {
        auth: {
          type: "object",
          properties: { token: { type: "string", secret: true } },
          required: ["token"],
        },
        headers: { type: "object" },
        domains: { type: "array", items: { type: "string" } },
        staging: { type: "boolean", default: true },
      },
      required: ["auth", "domains"],
    };
    const fields = fieldsOf(schema);
    expect(fields.map(({ name, group, kind }) => [name, group, kind])).toEqual([
      ["auth.token", "Auth", "secret"],
      ["headers", "", "json"],
      ["domains", "", "list"],
      ["staging", "", "flag"],
    ]);
    const config = {
      auth: { token: "********" },
      headers: { a: "b" },
      domains: ["one", "two"],
      staging: false,
    };
    expect(configOf(fields, draftOf(fields, config))).toEqual(config);
    expect(configOf(fields, { domains: "one, two\nthree" })).toEqual({ domains: ["one", "two", "three"] });
    expect(configOf(fields, { headers: "{no json" })).toEqual({ headers: "{no json" });
  });

  test("are those of the alternative that was chosen, and no other is sent", () => {
    const told = (method: string, properties: Record<string, Schema>): Schema => ({
      type: "object",
      title: `by ${method}`,
      properties: { method: { type: "string", const: method }, ...properties },
      required: ["method", ...Object.keys(properties)],
    });
    const schema: Schema = {
      properties: {
        auth: {
          oneOf: [
            told("token", { token: { type: "string", secret: true } }),
            told("approle", { role_id: { type: "string" }, secret_id: { type: "string", secret: true } }),
          ],
        },
        sign: { type: "string", command: true },
      },
      required: ["auth"],
    };
    const fields = fieldsOf(schema);
    const names = (draft: object) => shownFields(fields, { ...draft }).map(({ name }) => name);
    expect(fields[0]).toMatchObject({ name: "auth.method", kind: "choice", choices: ["token", "approle"] });
    expect(fields[0]?.words).toEqual({ token: "by token", approle: "by approle" });
    expect(names({})).toEqual(["auth.method", "sign"]);
    expect(names({ "auth.method": "token" })).toEqual(["auth.method", "auth.token", "sign"]);
    expect(names({ "auth.method": "approle" })).toEqual([
      "auth.method",
      "auth.role_id",
      "auth.secret_id",
      "sign",
    ]);
    const typed = { "auth.method": "token", "auth.token": "t", "auth.role_id": "left over", sign: "" };
    expect(configOf(fields, typed)).toEqual({ auth: { method: "token", token: "t" } });
    expect(
      draftOf(fields, { auth: { method: "approle", role_id: "r", secret_id: "********" } }),
    ).toMatchObject({
      "auth.method": "approle",
      "auth.role_id": "r",
    });
    expect(fields.at(-1)).toMatchObject({ name: "sign", kind: "choice", isCommand: true });
  });

  test("are texts of several lines where they may be long, secrets too", () => {
    const long = { type: "string", maxLength: 20_000 };
    const fields = fieldsOf({
      properties: { key: { ...long, secret: true }, ca: long, token: { ...long, maxLength: 64 } },
    });
    expect(fields.map(({ kind }) => kind)).toEqual(["long-secret", "long", "text"]);
    expect(configOf(fields, { key: "a\nb\n" })).toEqual({ key: "a\nb\n" });
  });

  test("begin with what a flag is when nobody says", () => {
    const fields = fieldsOf({
      properties: {
        on: { type: "boolean", default: true },
        off: { type: "boolean", default: false },
        unsaid: { type: "boolean" },
      },
    });
    expect(draftOf(fields, {})).toEqual({ on: true, off: false, unsaid: false });
    expect(draftOf(fields, { on: false, off: true })).toEqual({ on: false, off: true, unsaid: false });
  });

  test("leave out what is empty, and send numbers as numbers", () => {
    expect(configOf(email, { host: "mail.example", port: "25", password: " ", from: "x" })).toEqual({
      host: "mail.example",
      port: 25,
      from: "x",
    });
    expect(configOf(email, { port: "many" })).toEqual({ port: "many" });
    expect(draftOf(email, { port: 25 })).toMatchObject({ port: "25", host: "" });
  });

  test("are called as people read them", () => {
    expect(labelOf("webhook_url")).toBe("Webhook URL");
    expect(labelOf("allowed_issuer_ids")).toBe("Allowed issuer IDs");
  });
});
