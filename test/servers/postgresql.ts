import { execFileSync } from "node:child_process";
import { chown, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Argv } from "../../src/platform/program.ts";
import { accountOf, type Recipe } from "./server.ts";

const versions = "/usr/lib/postgresql";

export const postgresql: Recipe = {
  package: "postgresql",
  protocol: "postgres",
  user: "postgres",
  async prepare({ directory, site, port }) {
    const newest =
      (await readdir(versions).catch(() => [])).sort((a, b) => Number(b) - Number(a))[0] ?? "none";
    const program = (name: string) => join(versions, newest, "bin", name);
    // It refuses to run as root.
    const account = accountOf("postgres");
    const ids = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"] : [];
    const data = join(directory, `data-${port}`);
    await mkdir(data);
    if (account) await chown(data, account.uid, account.gid);
    const initialize: Argv = ["setpriv", ...ids, program("initdb")];
    execFileSync(initialize[0], [...initialize.slice(1), "-D", data, "-A", "trust", "--no-sync"]);
    const settings = {
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: data,
      ssl: "on",
      ssl_cert_file: join(site, "current", "fullchain.pem"),
      ssl_key_file: join(site, "current", "privkey.pem"),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    await writeFile(join(data, "postgresql.auto.conf"), lines.join(""));
    return {
      argv: ["setpriv", ...ids, program("postgres"), "-D", data],
      reload: () => ["setpriv", ...ids, program("pg_ctl"), "-D", data, "reload"],
    };
  },
};
