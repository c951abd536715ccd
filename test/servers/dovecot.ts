import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recipe } from "./server.ts";

export const dovecot: Recipe = {
  package: "dovecot-imapd",
  protocol: "imap",
  async prepare({ directory, site, port }) {
    const file = join(directory, "dovecot.conf");
    await writeFile(
      file,
      `
base_dir = ${directory}/run
state_dir = ${directory}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${site}/current/fullchain.pem
ssl_key = <${site}/current/privkey.pem
passdb {
  driver = static
  args = nopassword=y
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
    );
    return {
      argv: ["dovecot", "-F", "-c", file],
      test: ["doveconf", "-c", file, "-n"],
      reload: () => ["doveadm", "-c", file, "reload"],
    };
  },
};
