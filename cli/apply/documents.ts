import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { parseAllDocuments } from "yaml";
import { CommandFailure, exitCodes } from "../failure.ts";

/** One resource as a file has it. */
export interface Item {
  /** "certificates" */
  resource: string;
  id: string;
  fields: JsonObject;
  /** Where it stands, for what is said about it: `certificates[0]`. */
  place: string;
}

/**
 * Reads YAML or JSON: any number of documents, each a map from resources to lists (`teams: [{id: t-web, …}]`), one resource
 * that names itself (`resource: team`), or a list of such.
 * @param resourceNamed the plural of what the file calls a resource
 */
export function readItems(text: string, resourceNamed: (name: string) => string | undefined): Item[] {
  const items = parse(text).flatMap((json, index) => itemsOf(json, `document ${index + 1}`, resourceNamed));
  const twice = items.find(({ id }, index) => items.findIndex((other) => other.id === id) !== index);
  if (twice) throw usage(`${twice.place}: ${twice.id} is in the file twice`);
  return items;
}

function parse(text: string): JsonValue[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw usage(`the file is not YAML: ${error.message}`);
    const json = document.toJS() as JsonValue;
    return json === null ? [] : [json];
  });
}

type Naming = (name: string) => string | undefined;

function itemsOf(json: JsonValue, place: string, resourceNamed: Naming): Item[] {
  if (Array.isArray(json))
    return json.flatMap((each, index) => itemsOf(each, `${place}[${index}]`, resourceNamed));
  if (!isObject(json)) throw usage(`${place}: must be a map or a list of maps`);
  const { resource: name, ...fields } = json;
  if (name !== undefined) return [item(resourceOf(String(name), place, resourceNamed), fields, place)];
  return Object.entries(json).flatMap(([key, list]) => {
    const resource = resourceOf(key, place, resourceNamed);
    if (!Array.isArray(list)) throw usage(`${key}: must be a list`);
    return list.map((each, index) => item(resource, each, `${key}[${index}]`));
  });
}

function item(resource: string, fields: JsonValue, place: string): Item {
  if (!isObject(fields)) throw usage(`${place}: must be a map`);
  const { id } = fields;
  if (typeof id !== "string" || id === "") throw usage(`${place}: needs an id, by which it is found again`);
  return { resource, id, fields, place };
}

function resourceOf(name: string, place: string, resourceNamed: Naming): string {
  const resource = resourceNamed(name);
  if (resource === undefined) throw usage(`${place}: "${name}" is no resource that can be applied`);
  return resource;
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function usage(message: string): CommandFailure {
  return new CommandFailure(message, exitCodes.usage);
}
