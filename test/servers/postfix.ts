import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accountOf, type Recipe } from "./server.ts";

const services = [
  "pickup unix n - n 60 1 pickup",
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "proxymap unix - - n - - proxymap",
  "anvil unix - - n - 1 anvil",
  "postlog unix-dgram n - n - 1 postlogd",
];

/** Needs root, as Postfix does. */
export const postfix: Recipe = {
  package: "postfix",
  protocol: "smtp",
  async prepare({ directory, site, port }) {
    const config = join(directory, "etc");
    const queue = join(directory, "queue");
    const data = join(directory, "data");
    for (const path of [config, queue, data]) await mkdir(path, { recursive: true });
    const account = accountOf("postfix");
    if (account) await chown(data, account.uid, account.gid);
    await writeFile(
      join(config, "main.cf"),
      `
compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
maillog_file_prefixes = ${directory}
maillog_file = ${directory}/maillog
myhostname = mail.test
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
alias_maps =
smtpd_tls_security_level = may
smtpd_tls_chain_files = ${site}/current/privkey.pem, ${site}/current/fullchain.pem
`,
    );
    const smtpd = `127.0.0.1:${port} inet n - n - - smtpd`;
    await writeFile(join(config, "master.cf"), `${[smtpd, ...services].join("\n")}\n`);
    return {
      argv: ["postfix", "-c", config, "start-fg"],
      test: ["postfix", "-c", config, "check"],
      reload: () => ["postfix", "-c", config, "reload"],
      start: ["postfix", "-c", config, "start"],
      pidFile: join(queue, "pid", "master.pid"),
    };
  },
};
