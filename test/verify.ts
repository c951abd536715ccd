import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { openScratch, openssl } from "./openssl.ts";

const execute = promisify(execFile);

/** Has openssl and GnuTLS build a served chain to a root, now, for a server of this name. Rejects in the words of whoever says no. */
export async function verifyChain(pemChain: string, rootPem: string, name: string): Promise<void> {
  await using scratch = await openScratch();
  const [chain, root] = [await scratch.file("chain.pem", pemChain), await scratch.file("root.pem", rootPem)];
  const strict = ["-x509_strict", "-auth_level", "2", "-purpose", "sslserver", "-verify_hostname", name];
  await openssl("verify", ...strict, "-CAfile", root, "-untrusted", chain, chain);
  const asked = ["--verify", "--load-ca-certificate", root, "--infile", chain, "--verify-hostname", name];
  const { stdout } = await execute("certtool", asked).catch((error: { stdout?: string }) => {
    throw new Error(`certtool: ${error.stdout}`);
  });
  if (!/Chain verification output: Verified\./.test(stdout)) throw new Error(`certtool: ${stdout}`);
}
