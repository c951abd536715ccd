import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Layout, pairLayout } from "../src/targets/layout.ts";
import { makePlaceholder } from "./certificates.ts";

/** A directory of this test alone, removed with all that is in it. */
export interface TemporaryDirectory extends AsyncDisposable {
  path: string;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), "certctl-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const pair = pairLayout({ certificate: "fullchain.pem", key: "privkey.pem" });

/** Makes a target's directory as a host's owner does, with a self-signed placeholder as current. */
export async function makeSite(site: string, layout: Layout = pair): Promise<void> {
  const placeholder = join(site, "versions", "placeholder");
  await mkdir(placeholder, { recursive: true });
  for (const path of [site, join(site, "versions"), placeholder]) await chmod(path, 0o755);
  for (const { name, content, isSecret } of layout.files(makePlaceholder(), placeholder))
    await writeFile(join(placeholder, name), content, { mode: isSecret ? 0o600 : 0o644 });
  await symlink(join("versions", "placeholder"), join(site, "current"));
  const { watched } = layout;
  if (watched !== undefined) await symlink(join("current", watched), join(site, watched));
}
