import type { JsonObject } from "@bufbuild/protobuf";
import { type Exchange, setHeaders } from "./node.ts";

/** Sends the file that an answer holds in the fields filename, media_type and content_base64, to be kept and not shown. */
export function sendFile(
  { request, response }: Exchange,
  { status, headers, file }: { status: number; headers: Headers; file: JsonObject },
): void {
  const content = Buffer.from(String(file["content_base64"]), "base64");
  response.statusCode = status;
  setHeaders(response, headers);
  response.appendHeader("content-type", String(file["media_type"]));
  response.appendHeader("content-length", String(content.length));
  response.appendHeader(
    "content-disposition",
    `attachment; filename="${safeName(String(file["filename"]))}"`,
  );
  if (request.method === "HEAD") response.end();
  else response.end(content);
}

/** Nothing that ends the quotes, the header or the directory. */
function safeName(filename: string): string {
  return filename.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}
