import { once } from "node:events";
import { chown, mkdir, mkdtemp, realpath, rm, stat, symlink } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Account, closedDirectories } from "./postgres-account.ts";

/** Where the server listens. */
export interface Endpoint {
  /** A directory or, on Windows, an address. */
  host: string;
  port: number;
  /** The server's settings that make it listen there. */
  settings: Record<string, string>;
  /** Left behind by a server that was killed. */
  lockFiles: string[];
}

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the final zero. */
const maxSocketPathBytes = 103;
const port = 5432;

/** Makes the directory of the Unix socket, `<directory>/socket`: a link to a shorter path when that is too long. */
export async function endpointFor(directory: string, account: Account | undefined): Promise<Endpoint> {
  if (process.platform === "win32") {
    const host = "127.0.0.1";
    const freePort = await findFreePort(host);
    return { host, port: freePort, settings: { listen_addresses: host }, lockFiles: [] };
  }
  const host = await socketDirectory(directory, account);
  const settings = {
    listen_addresses: "",
    unix_socket_directories: `"${host.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
  };
  return { host, port, settings, lockFiles: [join(host, `.s.PGSQL.${port}.lock`)] };
}

async function socketDirectory(directory: string, account: Account | undefined): Promise<string> {
  const near = join(directory, "socket");
  if (!(await isUsable(near, account))) {
    await rm(near, { recursive: true, force: true });
    if (isShortEnough(near)) await mkdir(near, { mode: 0o700 });
    else await symlink(await shortDirectory(account), near);
    if (account !== undefined) await chown(near, account.uid, account.gid);
  }
  return realpath(near);
}

async function shortDirectory(account: Account | undefined): Promise<string> {
  const closed = account === undefined ? [] : await closedDirectories(tmpdir(), account);
  const fits = closed.length === 0 && isShortEnough(join(tmpdir(), "certctl-XXXXXX"));
  return mkdtemp(join(fits ? tmpdir() : "/tmp", "certctl-"));
}

/** A directory in a public place may have been swept away, and be somebody else's by now. */
async function isUsable(near: string, account: Account | undefined): Promise<boolean> {
  try {
    const path = await realpath(near);
    const { uid, mode } = await stat(path);
    return isShortEnough(path) && uid === (account?.uid ?? process.getuid?.()) && (mode & 0o777) === 0o700;
  } catch {
    return false;
  }
}

function isShortEnough(directory: string): boolean {
  return Buffer.byteLength(join(directory, `.s.PGSQL.${port}`)) <= maxSocketPathBytes;
}

async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port: freePort } = server.address() as AddressInfo;
  server.close();
  return freePort;
}
