import { isAbsolute, normalize } from "node:path";
import { z } from "zod";
import { endpointPattern } from "./probe.ts";
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

const fileName = z
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

const places = {
  /** Where certctl keeps versions/ and the link `current`. */
  directory: absolutePath,
  certificate: fileName.default("fullchain.pem"),
  key: fileName.default("privkey.pem"),
  /** Where the agent proves what is served. */
  endpoint: z
    .string()
    .refine((text) => endpointPattern.test(text) && URL.canParse(`tls://${text}`), "has to be host:port"),
  /** Numeric; the directory's own when left out. */
  owner: id.optional(),
  group: id.optional(),
  prove_within_seconds: seconds,
  command_timeout_seconds: seconds,
};

const isTwoFiles = ({ certificate, key }: { certificate: string; key: string }) => certificate !== key;
const twoFiles = { path: ["key"], message: "has to be another file than the certificate" };

/** An entry of agent.yaml for a server that is told to take new files. */
export function reloadedEntry(kind: string) {
  return z
    .strictObject({ kind: z.literal(kind), ...places, test: argv, reload: argv })
    .refine(isTwoFiles, twoFiles);
}

/** An entry of agent.yaml for a server that may see new files by itself. */
export function watchedEntry(kind: string) {
  return z
    .strictObject({ kind: z.literal(kind), ...places, test: argv.optional(), reload: argv.optional() })
    .refine(isTwoFiles, twoFiles);
}

export type FileEntry = z.infer<ReturnType<typeof watchedEntry>>;
