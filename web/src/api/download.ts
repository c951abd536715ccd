import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { rulesOf } from "../../../src/rest/binding.ts";
import { encodeJson } from "../../../src/rest/json.ts";
import { errorOf } from "./errors.ts";
import { requestOf } from "./request.ts";

const types = { csv: "text/csv", ndjson: "application/x-ndjson" } as const;

/** Saves everything that a stream sends as a file. Throws what the control plane answers instead. */
export async function downloadStream<I extends DescMessage>(
  method: DescMethodStreaming<I, DescMessage>,
  input: MessageInitShape<I>,
  name: string,
  format: keyof typeof types,
): Promise<void> {
  const [rule] = rulesOf(method);
  if (!rule) throw new Error(`${method.name} has no REST route`);
  const { url } = requestOf(rule, encodeJson(method.input, create(method.input, input)));
  const response = await fetch(url, { headers: { accept: types[format] } });
  if (!response.ok) throw await errorOf(response);
  saveFile(await response.blob(), `${name}.${format}`);
}

/** Hands a file to the browser, as a click on a link would. */
export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
