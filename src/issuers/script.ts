import type { JsonObject } from "@bufbuild/protobuf";
import { z } from "zod";
import { parseSan } from "../x509/names.ts";
import { pem } from "../x509/pem.ts";
import { readAnswer } from "./answer.ts";
import { commandFailure } from "./command-failure.ts";
import { caCertificates, commandName } from "./config-fields.ts";
import {
  defineIssuer,
  type Issued,
  type IssueRequest,
  type IssuerContext,
  IssuerError,
  type Ordered,
} from "./issuer.ts";

const config = z.strictObject({
  command: commandName("Signs: the CSR on its standard input, the chain on its standard output"),
  status_command: commandName("Asked for orders that the first left pending").optional(),
  revoke_command: commandName("Revokes the certificate on its standard input").optional(),
  test_command: commandName(
    "Says whether the CA would sign; without it no command is run for a test",
  ).optional(),
  poll_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .meta({ description: "How long a pending order is left alone" }),
  root: caCertificates("What its certificates build to, where the chain does not tell").optional(),
});

type Config = z.infer<typeof config>;
type Step = "issue" | "status" | "revoke" | "test";

const pendingCode = 13;

/**
 * Any CA for which a command can be written. Its whole command line stands in server.yaml; the configuration has its name alone.
 * What is to be signed comes by its standard input and by environment variables: docs/issuers.md.
 */
export const script = defineIssuer<Config>({
  kind: "script",
  title: "Command",
  config,

  refuses({ sans }) {
    const odd = sans.find((san) => san.includes(","));
    return odd === undefined ? null : { field: "sans", description: `${odd} has a comma in it` };
  },

  rootPem: ({ root = "" }) => root,

  async test({ command, status_command, revoke_command, test_command }, { commands, signal }) {
    for (const name of [command, status_command, revoke_command, test_command])
      if (name !== undefined) await commands.check(name);
    if (test_command === undefined) return `server.yaml has ${command}; it was not run`;
    const end = await commands.run(test_command, {
      environment: { CERTCTL_ACTION: "test" },
      stdin: "",
      signal,
    });
    if (end.code !== 0) throw commandFailure("test", test_command, end);
    return end.stdout.trim().slice(0, 1_000) || `${test_command} ended well`;
  },

  issue: (request, config, context) => ask("issue", config.command, request, config, context),

  async orderStatus(state, request, config, context) {
    const { status_command } = config;
    if (status_command === undefined)
      throw new IssuerError("order", "the order is pending, and no status_command is named", "Configuration");
    return ask("status", status_command, request, config, context, String(state["reference"] ?? ""));
  },

  async revoke({ leafDer, serial, reason }, { revoke_command }, { commands, issuerId, signal }) {
    if (revoke_command === undefined)
      throw new IssuerError("revoke", "the issuer names no revoke_command", "Configuration");
    const environment = {
      CERTCTL_ACTION: "revoke",
      CERTCTL_ISSUER_ID: issuerId,
      CERTCTL_SERIAL: serial,
      CERTCTL_REASON: reason,
    };
    const end = await commands.run(revoke_command, {
      environment,
      stdin: pem("CERTIFICATE", leafDer),
      signal,
    });
    if (end.code !== 0) throw commandFailure("revoke", revoke_command, end);
  },
});

async function ask(
  action: Step,
  command: string,
  request: IssueRequest,
  { poll_seconds, root = "" }: Config,
  { commands, issuerId, jobId, order, signal }: IssuerContext,
  reference = "",
): Promise<Issued | Ordered> {
  const end = await commands.run(command, {
    environment: {
      CERTCTL_ACTION: action,
      CERTCTL_ISSUER_ID: issuerId,
      CERTCTL_JOB_ID: jobId,
      CERTCTL_KEY_ID: request.keyId,
      CERTCTL_COMMON_NAME: request.commonName,
      CERTCTL_SUBJECT_ALT_NAME: request.sans.map(opensslName).join(","),
      CERTCTL_VALIDITY_SECONDS: String(request.validitySeconds),
      ...(reference === "" ? {} : { CERTCTL_REFERENCE: reference }),
    },
    stdin: pem("CERTIFICATE REQUEST", request.csr),
    signal,
  });
  if (end.code === 0) return readAnswer("sign", [end.stdout], root);
  if (end.code !== pendingCode) throw commandFailure("sign", command, end);
  const named = end.stdout.trim().split("\n", 1)[0]?.slice(0, 200) || reference;
  if (named === "")
    throw new IssuerError("order", `${command} says that the order is pending, but not which`, "Internal");
  const state: JsonObject = { reference: named };
  await order.write(state);
  return {
    reference: named,
    pollAfterMs: poll_seconds * 1_000,
    message: end.words || `${command} has not signed yet`,
  };
}

/** "DNS:a.example", as openssl's subjectAltName has it. */
function opensslName(san: string): string {
  const { type, value } = parseSan(san);
  return `${{ dns: "DNS", ip: "IP", email: "email", uri: "URI" }[type]}:${value}`;
}
