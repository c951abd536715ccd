import { isAbsolute, normalize } from "node:path";
import { z } from "zod";
import type { Argv } from "../platform/program.ts";
import { endpointPattern } from "./probe.ts";
import { type Protocol, protocols } from "./starttls.ts";
import { provenMark } from "./versions.ts";

/** How a target is named in agent.yaml. */
export const entryName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "has to be letters, digits, - and _, at most 64");

/** What the control plane stores of a file target. */
export const fileConfig = z.strictObject({
  entry: entryName.meta({
    title: "Entry in agent.yaml",
    description:
      "The target's name on its host, where the owner wrote down directory, commands and endpoint.",
  }),
  server_name: z
    .string()
    .max(253)
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9-]{1,63})*$/,
      "has to be a DNS name in lower case, without wildcard",
    )
    .optional()
    .meta({
      title: "Server name",
      description: "The name that the proof asks for. The certificate's first name when left out.",
    }),
});
export type FileConfig = z.infer<typeof fileConfig>;

export const absolutePath = z
  .string()
  .refine(
    (path) => isAbsolute(path) && normalize(path) === path,
    "has to be an absolute path without . or ..",
  );

export const fileName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, "has to be a plain file name")
  .refine((name) => name !== provenMark, "is a name that certctl uses itself");

const argument = z.string().refine((text) => !text.includes("\0"), "has a NUL in it");
const program = argument.regex(
  /^(?:\/.+|[^/]+)$/,
  "has to be an absolute path or the plain name of a program",
);
/** The program and its arguments, each an item of its own; no shell reads them. */
const argv = z.tuple([program], argument);

const seconds = z.number().positive().max(600).default(30);
const id = z.int().min(0).max(0xffff_fffe);

const commands = {
  test: argv.meta({ description: "Checks the server's configuration, with the new files in place" }),
  reload: argv.meta({ description: "Has the server take the new files" }),
  start: argv.meta({
    description:
      "Brings the server back. Run when nothing answers after the old files were put back and reloaded",
  }),
};

/** What every entry of files has. */
export interface FileEntry {
  kind: string;
  directory: string;
  /** Where the agent proves what is served. */
  endpoint: string;
  protocol: Protocol;
  test?: Argv | undefined;
  reload?: Argv | undefined;
  start?: Argv | undefined;
  owner?: number | undefined;
  group?: number | undefined;
  prove_within_seconds: number;
  command_timeout_seconds: number;
}

/** What sets the servers of one kind apart. */
export interface ServerTraits {
  kind: string;
  /** The commands that an entry cannot do without. */
  required?: readonly (keyof typeof commands)[];
  /** How the server is asked for TLS, unless an entry says otherwise. */
  protocol?: Protocol;
}

/** What an entry of agent.yaml has, whatever its files. */
export function entryParts({ kind, required = [], protocol = "tls" }: ServerTraits) {
  const command = (name: keyof typeof commands) =>
    required.includes(name) ? commands[name] : commands[name].optional();
  return {
    kind: z.literal(kind),
    directory: absolutePath.meta({
      description: "Where certctl keeps `versions/` and the link `current`. May belong to the server's user",
    }),
    endpoint: z
      .string()
      .refine((text) => endpointPattern.test(text) && URL.canParse(`tls://${text}`), "has to be host:port")
      .meta({ description: "Where the agent looks at what is served: `host:port`" }),
    protocol: z
      .enum(protocols)
      .default(protocol)
      .meta({ description: "TLS at once, or after the words with which that protocol begins it" }),
    test: command("test"),
    reload: command("reload"),
    start: command("start"),
    owner: id
      .optional()
      .meta({ description: "Whom the files belong to: a numeric user. The directory's own when left out" }),
    group: id.optional().meta({ description: "The same for the group" }),
    prove_within_seconds: seconds.meta({
      description: "How long the server may take until the new certificate is served",
    }),
    command_timeout_seconds: seconds.meta({ description: "How long one command may take" }),
  };
}

/** File names within a version, for a server that reads certificate and key from two files. */
export const pairFiles = {
  certificate: fileName
    .default("fullchain.pem")
    .meta({ description: "The file below `current/` with the certificate and its intermediates" }),
  key: fileName.default("privkey.pem").meta({ description: "The file below `current/` with the key" }),
};

/** The two files have names of their own. */
export function isTwoFiles({ certificate, key }: { certificate: string; key: string }): boolean {
  return certificate !== key;
}
export const twoFiles = { path: ["key"], message: "has to be another file than the certificate" };
