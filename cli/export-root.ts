import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { createClient } from "@connectrpc/connect";
import type { Command } from "commander";
import { AuthorityService } from "#gen/certctl/v1/authorities_pb.ts";
import { sha256, spkiOf } from "../src/x509/keys.ts";
import { resourceGroup } from "./api-verbs.ts";
import { CommandFailure, exitCodes } from "./failure.ts";
import { readSecret } from "./secret-input.ts";
import type { Terminal } from "./terminal.ts";

/** Takes a root offline: the key leaves the database only once the file that has it was opened again. */
export function addExportRoot(program: Command, terminal: Terminal): void {
  resourceGroup(program, "authorities")
    .command("export-root")
    .description("Writes the key of a root to a file, encrypted, and removes it from the control plane")
    .argument("<id>", "the root")
    .argument("<file>", "a new file, for you alone; the root's certificate is written to <file>.crt")
    .option("--passphrase-file <file>", "read from standard input, or asked for, where it is left out")
    .addHelpText(
      "after",
      `
What the root signed goes on. It signs another CA only after its key was brought back:
  certctl authorities restore-key ca-root --private-key-pem @root.key --passphrase @passphrase

Example:
  certctl authorities export-root ca-root root.key --passphrase-file passphrase`,
    )
    .action(async (id: string, path: string, options: { passphraseFile?: string }) => {
      const passphrase = options.passphraseFile
        ? (await readFile(options.passphraseFile, "utf8")).trim()
        : await readSecret("Passphrase of 16 characters or more: ");
      if (passphrase.length < 16)
        throw new CommandFailure("the passphrase has to have 16 characters or more", exitCodes.usage);
      using connection = await terminal.connect();
      const client = createClient(AuthorityService, connection.transport);
      const { privateKeyPem, certificatePem } = await client.exportAuthorityKey({ id, passphrase });
      await writeDurably(path, privateKeyPem, 0o600);
      await writeDurably(`${path}.crt`, certificatePem, 0o644);
      const keySha256 = await opened(path, passphrase, certificatePem);
      await client.takeAuthorityOffline({ id, keySha256 });
      terminal.err(`the key of ${id} is in ${path} and nowhere else; keep the passphrase in another place\n`);
    });
}

/** Refuses to replace a file: it may be another root's. */
async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode).catch((error: unknown) => {
    throw new CommandFailure(`${path} cannot be written: ${error instanceof Error ? error.message : error}`);
  });
  await using _ = file;
  await file.writeFile(text);
  await file.sync();
}

/** Opens the file that was written, and names the key in it. */
async function opened(path: string, passphrase: string, certificatePem: string): Promise<string> {
  const key = createPublicKey(createPrivateKey({ key: await readFile(path, "utf8"), passphrase }));
  const spki = spkiOf(key);
  if (!spki.equals(spkiOf(new X509Certificate(certificatePem).publicKey)))
    throw new CommandFailure(`the key in ${path} is not the root's; nothing was removed`);
  return sha256(spki).toString("hex");
}
