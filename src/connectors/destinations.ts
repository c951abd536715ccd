import type { JsonObject } from "@bufbuild/protobuf";
import type { z } from "zod";
import type { Egress } from "../platform/egress.ts";
import { invalid } from "../platform/errors.ts";
import { markedFields, pathText, valueAt } from "./fields.ts";

/**
 * Refuses a configuration that names an address which certctl does not connect to. A convenience: what counts is checked at
 * every connection, and names are judged only there.
 */
export function requireReachable(egress: Egress, schema: z.ZodType, config: JsonObject): void {
  const violations = markedFields(schema, config, "destination").flatMap((path) => {
    const value = valueAt(config, path);
    const description = typeof value === "string" ? egress.refuses(hostOf(value)) : null;
    return description === null ? [] : [{ field: pathText(path), description }];
  });
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
}

function hostOf(value: string): string {
  const host = value.includes("://") && URL.canParse(value) ? new URL(value).hostname : value;
  return host.replace(/^\[|\]$/g, "");
}
