import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { debian13Program } from "../scripts/debian13.ts";
import { openScratch } from "./openssl.ts";
import { certificatePem } from "./trees.ts";

const execute = promisify(execFile);
const sources = "RFC5280,RFC5480,RFC5891";

/** What zlint finds wrong with a certificate or a CRL, DER, by the RFCs: warnings and worse, by the lint's name. */
export async function zlint(der: Uint8Array, kind: "certificate" | "crl" = "certificate"): Promise<string[]> {
  await using scratch = await openScratch();
  const text = certificatePem(der).replaceAll("CERTIFICATE", kind === "crl" ? "X509 CRL" : "CERTIFICATE");
  const path = await scratch.file("linted.pem", text);
  const { stdout } = await execute(debian13Program("zlint"), ["-includeSources", sources, path]);
  const lints = Object.entries(JSON.parse(stdout) as Record<string, { result: string }>);
  if (!lints.some(([, { result }]) => result === "pass"))
    throw new Error(`zlint looked at nothing: ${stdout}`);
  return lints.filter(([, { result }]) => ["warn", "error", "fatal"].includes(result)).map(([name]) => name);
}
