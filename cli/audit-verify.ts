import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { keyIdOf, type SignedCheckpoint } from "../src/audit/evidence.ts";
import { type Evidence, type Verdict, verifyAudit } from "../src/audit/verify.ts";
import { encodeJson } from "../src/rest/json.ts";
import { spkiOf } from "../src/x509/keys.ts";
import { resourceGroup } from "./api-verbs.ts";
import {
  checkpointOf,
  fromFile,
  fromServer,
  type Part,
  publicKeyOf,
  rowOf,
  schemas,
} from "./audit-evidence.ts";
import { CommandFailure, exitCodes } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** The two commands over the audit that are no single call: both read everything, whatever its size, bit by bit. */
export function addAuditVerify(program: Command, terminal: Terminal): void {
  const group = resourceGroup(program, "audit", "Shows who did what");
  group
    .command("save")
    .description("Writes the whole audit with its checkpoints to a file, for certctl audit verify")
    .argument("<file>")
    .addHelpText("after", "\nExample:\n  certctl audit save audit-2027-01.ndjson")
    .action(async (path: string) => {
      using connection = await terminal.connect();
      const lines = Readable.from(linesOf(fromServer(connection, terminal.signal)));
      await pipeline(lines, createWriteStream(`${path}.part`, { mode: 0o600 }), { signal: terminal.signal });
      await rename(`${path}.part`, path);
    });
  group
    .command("verify")
    .description("Recomputes every hash and signature; finds changed, missing and cut off rows")
    .argument("[file]", "what certctl audit save wrote; the server is asked where it is left out")
    .option("--key <id...>", 'the key that may sign, "sha256:…"; keep it away from the server')
    .option("--expect <checkpoint>", 'a checkpoint that was seen before, "<seq>:<hash>", from the log')
    .addHelpText(
      "after",
      `
Exits with 1 where something is wrong. Rows younger than the last checkpoint are counted, and protected by nothing.

Examples:
  certctl audit verify --key sha256:4f1c… --expect 1841:9be2…
  certctl audit verify audit-2027-01.ndjson --key sha256:4f1c…`,
    )
    .action(async (path: string | undefined, options: { key?: string[]; expect?: string }) => {
      using connection = path === undefined ? await terminal.connect() : null;
      const parts = connection ? fromServer(connection, terminal.signal) : fromFile(path ?? "");
      const evidence = await evidenceOf(parts, options.key);
      const expect = expected(options.expect);
      const verdict = await verifyAudit({ ...evidence, ...(expect ? { expect } : {}) });
      if (!options.key)
        terminal.err("the key that signs was taken from the audit itself; name it with --key to be sure\n");
      terminal.out(reportOf(verdict));
      if (verdict.problems.length > 0) throw new CommandFailure("the audit is not intact");
    });
}

async function* linesOf(parts: AsyncIterable<Part>): AsyncGenerator<string> {
  for await (const { kind, value } of parts) {
    const json = encodeJson(schemas[kind] as (typeof schemas)["event"], value as never) as JsonObject;
    yield `${JSON.stringify({ [kind]: json })}\n`;
  }
}

/** Keys and checkpoints are few and kept; events are read as verification asks for them. */
async function evidenceOf(parts: AsyncGenerator<Part>, pinned: string[] | undefined): Promise<Evidence> {
  const keys = [];
  const checkpoints: SignedCheckpoint[] = [];
  let first: Part | undefined;
  for (;;) {
    const { value: part, done } = await parts.next();
    if (done) break;
    if (part.kind === "event") {
      first = part;
      break;
    }
    if (part.kind === "key") keys.push(publicKeyOf(part.value));
    else checkpoints.push(checkpointOf(part.value));
  }
  const believed = keys.filter((key) => !pinned || pinned.includes(keyIdOf(spkiOf(key))));
  async function* rows() {
    if (first?.kind === "event") yield rowOf(first.value);
    for await (const part of parts) if (part.kind === "event") yield rowOf(part.value);
  }
  return { rows: rows(), checkpoints: iterate(checkpoints), keys: believed };
}

async function* iterate<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function expected(text: string | undefined): { seq: bigint; hash: string } | undefined {
  if (text === undefined) return undefined;
  const [, seq, hash] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq && hash) return { seq: BigInt(seq), hash };
  throw new CommandFailure(
    "--expect: must be <seq>:<hash>, as the log and the API show them",
    exitCodes.usage,
  );
}

function reportOf({ problems, covered, uncovered, checkpoints, last }: Verdict): string {
  const lines = [
    ...problems,
    `${covered} rows are covered by ${checkpoints} checkpoints, ${uncovered} are too young for one`,
    ...(last ? [`the newest checkpoint is ${last.seq}:${last.hash.toString("hex")}`] : []),
    problems.length === 0 ? "the audit is intact" : "the audit is NOT intact",
  ];
  return `${lines.join("\n")}\n`;
}
