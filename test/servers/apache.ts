import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Argv } from "../../src/platform/program.ts";
import type { Recipe } from "./server.ts";

const modules = "/usr/lib/apache2/modules";

export const apache: Recipe = {
  package: "apache2",
  async prepare({ directory, site, port }) {
    const file = join(directory, "httpd.conf");
    const pidFile = join(directory, "httpd.pid");
    await writeFile(
      file,
      `
ServerRoot ${directory}
ServerName localhost
DefaultRuntimeDir ${directory}
PidFile ${pidFile}
User www-data
Group www-data
LoadModule mpm_event_module ${modules}/mod_mpm_event.so
LoadModule authz_core_module ${modules}/mod_authz_core.so
LoadModule ssl_module ${modules}/mod_ssl.so
StartServers 1
ErrorLog ${directory}/error.log
Listen 127.0.0.1:${port}
<VirtualHost *:${port}>
  SSLEngine on
  SSLCertificateFile ${site}/current/fullchain.pem
  SSLCertificateKeyFile ${site}/current/privkey.pem
</VirtualHost>
`,
    );
    const program: Argv = ["apache2", "-f", file];
    return {
      argv: [...program, "-D", "FOREGROUND"],
      test: [...program, "-t"],
      reload: () => [...program, "-k", "graceful"],
      start: [...program, "-k", "start"],
      pidFile,
    };
  },
};
