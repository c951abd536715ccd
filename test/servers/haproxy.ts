import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { combinedLayout } from "../../src/targets/layout.ts";
import type { Recipe } from "./server.ts";

export const haproxy: Recipe = {
  package: "haproxy",
  layout: combinedLayout({ file: "combined.pem" }),
  async prepare({ directory, site, port }) {
    const file = join(directory, "haproxy.cfg");
    await writeFile(
      file,
      `
global
  log stderr local0
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend site
  bind 127.0.0.1:${port} ssl crt ${site}/current/combined.pem
  http-request return status 200
`,
    );
    return {
      argv: ["haproxy", "-W", "-db", "-f", file],
      test: ["haproxy", "-c", "-f", file],
      reload: (pid) => ["kill", "-USR2", String(pid)],
    };
  },
};
