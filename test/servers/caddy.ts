import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import type { Recipe } from "./server.ts";

export const caddy: Recipe = {
  package: "caddy",
  async prepare({ directory, site, port }) {
    const file = join(directory, "Caddyfile");
    const admin = `127.0.0.1:${await freePort()}`;
    await writeFile(
      file,
      `
{
  admin ${admin}
  auto_https off
}
https://:${port} {
  bind 127.0.0.1
  tls ${site}/current/fullchain.pem ${site}/current/privkey.pem
  respond "served"
}
`,
    );
    const config = ["--config", file, "--adapter", "caddyfile"] as const;
    const program = ["env", `HOME=${directory}`, "caddy"] as const;
    return {
      argv: [...program, "run", ...config],
      test: [...program, "validate", ...config],
      reload: () => [...program, "reload", "--force", "--address", admin, ...config],
    };
  },
};
