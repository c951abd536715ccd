import { expect, test } from "vitest";
import { z } from "zod";
import { readConfig } from "./fields.ts";

test("a configuration is refused with every field that is missing or of the wrong type, in words", () => {
  const schema = z.object({
    url: z.string(),
    port: z.number(),
    hosts: z.array(z.string()),
    name: z.string(),
  });
  const wrong = { port: "80", hosts: {}, name: "x" };
  expect(() => readConfig(schema, wrong)).toThrow(
    "config.url: is missing; config.port: must be a number; config.hosts: must be an array",
  );
});
