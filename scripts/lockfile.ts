// Completes package-lock.json with packages for other platforms that the registry at hand did not show: npm leaves them
// out, and `npm ci` then refuses the lockfile everywhere. `--check` only says whether any is missing.
import { readFileSync, writeFileSync } from "node:fs";

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const path = "package-lock.json";
const lockfile = JSON.parse(readFileSync(path, "utf8")) as { packages: Record<string, LockedPackage> };
const { packages } = lockfile;

const missing = Object.values(packages).flatMap(({ dev, optionalDependencies = {} }) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !packages[`node_modules/${name}`])
    .map(([name, version]) => ({ name, entry: foreign(name, version, dev === true) })),
);

if (process.argv.includes("--check")) {
  if (missing.length > 0) {
    console.error(
      `package-lock.json lacks ${missing.map(({ name }) => name).join(", ")}: run node scripts/lockfile.ts`,
    );
    process.exit(1);
  }
} else if (missing.length > 0) {
  for (const { name, entry } of missing) packages[`node_modules/${name}`] = entry;
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...lockfile, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`added ${missing.length} packages for other platforms`);
}

/** The entry of a package that says in its name for which platform it is: …-linux-arm64-musl. */
function foreign(name: string, version: string, dev: boolean): LockedPackage {
  const words = name.split(/[/-]/);
  const os = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"].filter((word) =>
    words.includes(word),
  );
  const cpu = words.flatMap((word) =>
    word === "armv7" ? ["arm"] : /^(arm|arm64|x64|ia32|ppc64|riscv64|s390x)$/.test(word) ? [word] : [],
  );
  const libc = words.some((word) => word.startsWith("musl")) ? ["musl"] : [];
  if (os.length === 0 || cpu.length === 0 || !/^\d/.test(version)) {
    throw new Error(`${name}@${version} is missing from the lockfile and names no platform`);
  }
  return { version, ...(dev ? { dev } : {}), optional: true, os, cpu, ...(libc.length > 0 ? { libc } : {}) };
}
