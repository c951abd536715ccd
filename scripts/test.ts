// Installs the real programs that the tests drive, and runs the tests: npm test [-- vitest's arguments]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackFromDebian13 } from "./debian13.ts";
import { run } from "./run.ts";

/** Debian's packages by the program that shows that they are there. */
const packages = {
  nginx: "nginx-light",
  apache2: "apache2",
  haproxy: "haproxy",
  caddy: "caddy",
  lighttpd: "lighttpd lighttpd-mod-openssl",
  postfix: "postfix",
  dovecot: "dovecot-imapd",
  mosquitto: "mosquitto",
  "redis-server": "redis-server",
  pg_ctlcluster: "postgresql",
  openssl: "openssl",
  faketime: "faketime",
  ps: "procps",
  curl: "curl",
  jq: "jq",
  chromium: "chromium",
  pebble: "pebble",
  named: "bind9",
  certtool: "gnutls-bin",
  cfssl: "golang-cfssl",
  "softhsm2-util": "softhsm2",
  aws: "awscli",
  "systemd-analyze": "systemd",
};
/** Newer than the system's, or not in it. */
const debian13 = ["pebble", "zlint"];

const missing = Object.entries(packages).filter(([program]) => !isInstalled(program));
if (missing.length > 0) install(missing.flatMap(([, names]) => names.split(" ")));
unpackFromDebian13(debian13);
run("npm", "run", "--silent", "generate");
run("npm", "run", "--silent", "build");
process.exit(test());

function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", 'command -v -- "$1"', "sh", program]).status === 0;
}

function install(names: string[]): void {
  const command = `apt-get update && apt-get install -y --no-install-recommends ${names.join(" ")}`;
  const mayInstall = process.getuid?.() === 0 && isInstalled("apt-get");
  if (!mayInstall) {
    console.error(`The tests need ${names.join(", ")}. Install with: ${command}`);
    process.exit(1);
  }
  process.env["DEBIAN_FRONTEND"] = "noninteractive";
  run("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "update");
  // The packages bring daemons; the tests start their own.
  run("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", ...names);
}

/** Runs vitest and closes with one line of plain numbers. */
function test(): number {
  const directory = mkdtempSync(join(tmpdir(), "certctl-test-report-"));
  const report = join(directory, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile=${report}`];
  const { status } = spawnSync("vitest", ["run", ...reporters, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    console.log(`${numPassedTests} passed, ${numFailedTests} failed`);
    if (numPassedTests === 0) return status || 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
  return status ?? 1;
}
