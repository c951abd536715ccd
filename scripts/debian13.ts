import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";

/** Where programs of Debian 13 are unpacked, beside those of the system and without a change to it. */
const directory = join(import.meta.dirname, "../node_modules/.cache/debian13");
const apt = "apt-get";
const sources = "/etc/apt/sources.list.d/debian.sources";

/** The path of a program that `unpackFromDebian13` brought. */
export function debian13Program(name: string): string {
  return join(directory, "root/usr/bin", name);
}

/**
 * Brings single packages of Debian 13, by apt and with its signatures checked, whatever release the system is. They are not
 * installed: their files lie below a directory of their own, so that the system's release of the same package stays.
 */
export function unpackFromDebian13(names: readonly string[]): void {
  const missing = names.filter((name) => !existsSync(join(directory, name)));
  if (missing.length === 0) return;
  if (!existsSync(sources)) {
    console.error(`The tests need Debian 13's ${missing.join(", ")}, and ${sources} to get them from.`);
    process.exit(1);
  }
  const packages = join(directory, "debs");
  for (const needed of ["lists/partial", "cache/archives/partial", "debs", "root"])
    mkdirSync(join(directory, needed), { recursive: true });
  const list = join(directory, "debian13.sources");
  writeFileSync(list, debian13Sources(readFileSync(sources, "utf8")));
  const options = [
    `Dir::Etc::sourcelist=${list}`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${join(directory, "lists")}`,
    `Dir::Cache=${join(directory, "cache")}`,
    "APT::Sandbox::User=",
  ].flatMap((option) => ["-o", option]);
  run(apt, "-qq", ...options, "update");
  for (const name of missing) {
    const { status } = spawnSync(apt, ["-qq", ...options, "download", name], {
      cwd: packages,
      stdio: "inherit",
    });
    const file = readdirSync(packages).find((entry) => entry.startsWith(`${name}_`));
    if (status !== 0 || !file) {
      console.error(`Debian 13's ${name} could not be downloaded.`);
      process.exit(status || 1);
    }
    run("dpkg-deb", "-x", join(packages, file), join(directory, "root"));
    writeFileSync(join(directory, name), "");
  }
}

/** The first stanza of the system's sources, with the other release. */
function debian13Sources(system: string): string {
  const [first = ""] = system.split(/\n\s*\n/).filter((stanza) => /^Suites:.*-updates/m.test(stanza));
  return first.replace(/^Suites:.*$/m, "Suites: trixie");
}
