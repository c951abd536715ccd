// Makes everything below gen/: protobuf types, the contract's list and comments, and the Prisma client. Works offline.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { file_buf_validate_validate as validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { contractSource } from "./contract-source.ts";
import { protoSource } from "./proto-source.ts";

function run(command: string, ...args: string[]): void {
  // The engine binary that `prisma generate` would download is not used by it.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true", PRISMA_HIDE_UPDATE_MESSAGE: "1" };
  try {
    execFileSync(command, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    console.error(`${command} ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? String(error)}`);
    process.exit(1);
  }
}

const thirdParty = "gen/third_party/buf/validate/validate.proto";
rmSync("gen", { recursive: true, force: true });
mkdirSync(dirname(thirdParty), { recursive: true });
writeFileSync(thirdParty, protoSource(validate));
run("buf", "generate");
run("buf", "build", "-o", "gen/contract.binpb");
writeFileSync("gen/contract.ts", contractSource(readFileSync("gen/contract.binpb")));
run("prisma", "generate");
