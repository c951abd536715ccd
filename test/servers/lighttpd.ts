import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recipe } from "./server.ts";

export const lighttpd: Recipe = {
  package: "lighttpd lighttpd-mod-openssl",
  async prepare({ directory, site, port }) {
    const file = join(directory, "lighttpd.conf");
    const pidFile = join(directory, "lighttpd.pid");
    await writeFile(
      file,
      `
server.modules = ("mod_openssl")
server.document-root = "${directory}"
server.bind = "127.0.0.1"
server.port = ${port}
server.pid-file = "${pidFile}"
server.errorlog = "${directory}/error.log"
ssl.engine = "enable"
ssl.pemfile = "${site}/current/fullchain.pem"
ssl.privkey = "${site}/current/privkey.pem"
`,
    );
    return {
      argv: ["lighttpd", "-D", "-f", file],
      test: ["lighttpd", "-tt", "-f", file],
      // One that was brought back is another process.
      reload: () => ["sh", "-c", 'kill -USR1 "$(cat "$1")"', "sh", pidFile],
      start: ["lighttpd", "-f", file],
      pidFile,
    };
  },
};
