// Fills the volumes of docker-compose.yml before anything starts: prepare.ts <directory of the volumes> <user id>
// Runs again at every `docker compose up`; a secret that exists stays.
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const [volumes = "/volumes", user = "1000"] = process.argv.slice(2);
const owner = Number(user);

/** The content of a file that only its owner can read, made if it is missing. */
async function secret(path: string, uid: number, make: () => string): Promise<string> {
  const found = await readFile(path, "utf8").catch(() => null);
  if (found !== null) return found;
  const made = make();
  await writeFile(`${path}.new`, made, { mode: 0o400, flush: true });
  await chown(`${path}.new`, uid, uid);
  await rename(`${path}.new`, path);
  return made;
}

async function directory(path: string, uid: number, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
  await chown(path, uid, uid);
}

const self = process.getuid?.() ?? 0;
// PostgreSQL's image reads its password as root.
await directory(join(volumes, "database-secrets"), self, 0o755);
const password = await secret(join(volumes, "database-secrets", "password"), self, () =>
  randomBytes(24).toString("base64url"),
);
await directory(join(volumes, "server-secrets"), self, 0o755);
await secret(
  join(volumes, "server-secrets", "database-url"),
  owner,
  () => `postgresql://certctl:${password}@postgres:5432/certctl`,
);
await secret(join(volumes, "server-secrets", "encryption-key"), owner, () =>
  randomBytes(32).toString("base64"),
);
await directory(join(volumes, "join"), owner, 0o700);
await directory(join(volumes, "tls"), owner, 0o755);
