import {
  create,
  type DescField,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  type JsonObject,
  type JsonValue,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { rulesOf } from "../../../src/rest/binding.ts";
import { commandWords } from "../../../src/rest/command-words.ts";
import { encodeJson } from "../../../src/rest/json.ts";
import { requestOf } from "./request.ts";

type Method<I extends DescMessage> = DescMethodUnary<I, DescMessage> | DescMethodStreaming<I, DescMessage>;

/** The call as curl makes it; the key comes from the environment. */
export function asCurl<I extends DescMessage>(
  method: Method<I>,
  input: MessageInitShape<I>,
  origin: string,
): string {
  const [rule] = rulesOf(method);
  if (!rule) return "";
  const { url, init } = requestOf(rule, jsonOf(method, input));
  const parts = ["curl -sS --cacert ca.pem", '-H "Authorization: Bearer $CERTCTL_API_KEY"'];
  if (init.method !== "GET") parts.push(`-X ${init.method}`);
  if (init.body !== undefined) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(init.body)}`);
  return [...parts, quoted(origin + url)].join(" ");
}

/** The call as `certctl` makes it. */
export function asCommand<I extends DescMessage>(method: Method<I>, input: MessageInitShape<I>): string {
  const words = commandWords(method);
  if (!words) return "";
  const json = jsonOf(method, input);
  const resource = words.resource === "certificates" ? "certs" : words.resource;
  return [
    "certctl",
    resource,
    words.verb,
    ...words.positional.map(({ name }) => quoted(String(json[name] ?? ""))),
    ...words.flags.flatMap((field) => flagsOf(field, json[field.name] ?? null)),
  ].join(" ");
}

function jsonOf<I extends DescMessage>(method: Method<I>, input: MessageInitShape<I>): JsonObject {
  return encodeJson(method.input, create(method.input, input));
}

function flagsOf(field: DescField, value: JsonValue): string[] {
  const flag = `--${field.name.replaceAll("_", "-")}`;
  if (value === null || value === "" || value === false || value === 0) return [];
  if (value === true) return [flag];
  if (Array.isArray(value)) return value.flatMap((each) => flagsOf(field, each));
  if (field.fieldKind === "map")
    return Object.entries(value as JsonObject).map(([key, each]) => `${flag} ${quoted(`${key}=${each}`)}`);
  if (typeof value === "object") return [`${flag} ${quoted(JSON.stringify(compact(value)))}`];
  return [`${flag} ${quoted(String(value))}`];
}

/** Without what is not set. */
function compact(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).filter(
      ([, each]) =>
        each !== null && each !== "" && each !== false && !(Array.isArray(each) && each.length === 0),
    ),
  );
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
