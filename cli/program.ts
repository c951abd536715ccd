import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { addAgent } from "./agent.ts";
import { addApiVerbs, resourceGroup } from "./api-verbs.ts";
import { addApply } from "./apply/apply.ts";
import { addAuditVerify } from "./audit-verify.ts";
import { apiCommands } from "./commands.ts";
import { addCompletion } from "./completion.ts";
import { addExportRoot } from "./export-root.ts";
import { addKeys } from "./keys.ts";
import { addLogin } from "./login.ts";
import { addServer } from "./server.ts";
import { addTail } from "./tail.ts";
import type { Terminal } from "./terminal.ts";

/** Every command of certctl. Parsing throws CommanderError rather than ending the process. */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command("certctl")
    .description("Keeps TLS certificates alive: issues, renews, deploys and proves them on the wire")
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError("(--help shows what there is)")
    .addHelpText("after", examples);
  addServer(program);
  addAgent(program, terminal);
  addKeys(program, terminal);
  addLogin(program, terminal);
  const commands = apiCommands();
  addApiVerbs(program, commands, terminal);
  addApply(program, commands, terminal);
  addCompletion(program, terminal);
  addTail(resourceGroup(program, "jobs"), terminal);
  addAuditVerify(program, terminal);
  addExportRoot(program, terminal);
  return program;
}

const examples = `
Examples:
  certctl login https://localhost:8443 --ca /var/lib/certctl/ca.pem
  certctl certs list --status Expiring -o yaml
  certctl certs renew mc-shop --watch

Exit codes: 0 done, 1 failed, 2 wrong use or input, 3 not found, 4 denied, 5 conflict, 6 server not reached
`;
