import type { DescMessage, JsonObject } from "@bufbuild/protobuf";
import { decodeJson, encodeJson, fieldNamed } from "../../src/rest/json.ts";
import type { ApiCommand } from "../commands.ts";
import { CommandFailure, exitCodes } from "../failure.ts";
import { hasMask } from "./changes.ts";
import type { Item } from "./documents.ts";

/** The calls by which a resource is made what a file says. */
export interface Appliable {
  get: ApiCommand;
  create: ApiCommand;
  update: ApiCommand;
}

/** Resources that can be read, created under a given id and replaced, by their names. */
export function appliables(commands: readonly ApiCommand[]): Map<string, Appliable> {
  const found = new Map<string, Appliable>();
  for (const resource of new Set(commands.map((command) => command.resource))) {
    const verb = (name: string) => commands.find((each) => each.resource === resource && each.verb === name);
    const [get, create, update] = [verb("get"), verb("create"), verb("update")];
    const takesId = create?.method.input.fields.some(({ name }) => name === "id");
    if (get && create && update && takesId) found.set(resource, { get, create, update });
  }
  return found;
}

/** "certificates" for certificates, certificate, Certificate, certs and cert. */
export function resourceNames(resources: Iterable<string>): (name: string) => string | undefined {
  const known = new Map<string, string>();
  for (const resource of resources) {
    const singular = resource.replace(/ies$/, "y").replace(/s$/, "");
    for (const name of [resource, singular]) known.set(plain(name), resource);
    if (resource === "certificates") for (const name of ["certs", "cert"]) known.set(name, resource);
  }
  return (name) => known.get(plain(name));
}

/** renewal_policies, RenewalPolicies and renewal-policies are the same. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, "");
}

/**
 * What the file says of an item in the server's words: enums as words, times in UTC.
 * @throws {CommandFailure} that names every field that is wrong
 */
export function wantedOf({ create, update }: Appliable, { fields, place }: Item, isNew: boolean): JsonObject {
  const { input } = create.method;
  // What only an update takes is read as such.
  const unknown = Object.keys(fields).filter(
    (key) => !fieldNamed(input, key) && !fieldNamed(update.method.input, key),
  );
  const decoded = decodeJson(input, pick(fields, input));
  const problems = [
    ...unknown.map((key) => `${key}: unknown field`),
    ...(decoded.kind === "violations"
      ? decoded.violations.map(({ field, description }) => `${field}: ${description}`)
      : []),
    ...(isNew && hasMask(fields)
      ? ['a secret is masked ("********"): a new resource needs the secret itself']
      : []),
  ];
  if (decoded.kind === "violations" || problems.length > 0)
    throw new CommandFailure(problems.map((problem) => `${place}: ${problem}`).join("\n"), exitCodes.usage);
  const { type, ...all } = encodeJson(input, decoded.message);
  const given = Object.keys(fields).map((key) => fieldNamed(input, key)?.name);
  const named = Object.fromEntries(Object.entries(all).filter(([name]) => given.includes(name)));
  // "type" is taken for "kind".
  return type !== undefined && given.includes("type") && "kind" in all ? { ...named, kind: type } : named;
}

function pick(fields: JsonObject, input: DescMessage): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => fieldNamed(input, key)));
}
