import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recipe } from "./server.ts";

export const mosquitto: Recipe = {
  package: "mosquitto",
  user: "mosquitto",
  async prepare({ directory, site, port }) {
    const file = join(directory, "mosquitto.conf");
    await writeFile(
      file,
      `
listener ${port} 127.0.0.1
allow_anonymous true
certfile ${site}/current/fullchain.pem
keyfile ${site}/current/privkey.pem
`,
    );
    return { argv: ["mosquitto", "-c", file], reload: (pid) => ["kill", "-HUP", String(pid)] };
  },
};
