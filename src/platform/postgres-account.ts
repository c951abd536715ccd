import {
  chmod,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rmdir,
  stat,
  symlink,
} from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { StartupError } from "./startup-error.ts";

/** An OS user that PostgreSQL runs as. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** Where clusters live whose own directory the account cannot reach. */
const reachableHome = "/var/lib/certctl-postgres";

/**
 * PostgreSQL refuses to run as root: root hands it to another user, and everybody else (undefined) runs it himself.
 * The owner of a cluster that exists already stays its owner.
 */
export async function serviceAccount(dataDirectory: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = await localAccounts();
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) {
    const known = accounts.find(({ uid }) => uid === owner.uid);
    return known ?? { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  }
  for (const name of ["postgres", "certctl", "nobody"]) {
    const account = accounts.find((candidate) => candidate.name === name);
    if (account !== undefined) return account;
  }
  throw new StartupError("PostgreSQL cannot run as root: add a user named postgres, or set DATABASE_URL");
}

async function localAccounts(): Promise<Account[]> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n");
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    return name && uid && gid && uid !== "0" ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/**
 * Makes `directory`, which lies in the data directory, and returns its real path. Root may enter any directory but the
 * account may not: the data directory is opened for passing through, and when a directory above it is closed,
 * the cluster's home is elsewhere and `directory` a link to it.
 */
export async function openDirectory(directory: string, account: Account | undefined): Promise<string> {
  await refuseDanglingLink(directory);
  await mkdir(directory, { recursive: true, mode: account === undefined ? 0o700 : 0o711 });
  const path = await realpath(directory);
  if (account === undefined) return path;

  const closed = await closedDirectories(path, account);
  const ours = closed.filter((closedPath) => isOurs(closedPath, path));
  if (ours.length === closed.length) {
    for (const closedPath of ours) await chmod(closedPath, (await stat(closedPath)).mode | 0o011);
    return path;
  }
  if ((await readdir(path)).length > 0) {
    const above = closed.find((closedPath) => !isOurs(closedPath, path));
    throw new StartupError(
      `PostgreSQL runs as ${account.name}, who cannot enter ${above}: run chmod 711 ${above}`,
    );
  }
  await mkdir(reachableHome, { recursive: true, mode: 0o711 });
  const home = await mkdtemp(join(reachableHome, "cluster-"));
  await chmod(home, 0o711);
  await rmdir(path);
  await symlink(home, directory);
  return home;
}

/** The directories on the way to `path`, itself included, that the account may not pass through. */
export async function closedDirectories(path: string, { uid, gid }: Account): Promise<string[]> {
  const closed: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid: owner, gid: group } = await stat(at);
    const permission = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & permission) === 0) closed.push(at);
    if (dirname(at) === at) return closed;
  }
}

/** The database directory and the data directory around it, unless somebody put that straight into a home. */
function isOurs(closedPath: string, path: string): boolean {
  return closedPath === path || (closedPath === dirname(path) && closedPath !== homedir());
}

async function refuseDanglingLink(directory: string): Promise<void> {
  const entry = await lstat(directory).catch(() => undefined);
  if (!entry?.isSymbolicLink()) return;
  await stat(directory).catch((cause) => {
    throw new StartupError(
      `the database directory ${directory} is a link to a place that is gone: restore it, or remove the link to begin empty`,
      { cause },
    );
  });
}

export async function chownTree(path: string, { uid, gid }: Account): Promise<void> {
  const entries = await readdir(path, { recursive: true });
  await Promise.all(["", ...entries].map((entry) => lchown(join(path, entry), uid, gid)));
}
