import { once } from "node:events";
import { rm, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartupError } from "./startup-error.ts";

/**
 * Keeps other certctl processes of this machine out of a directory until disposed of or until the process dies: the
 * system holds the lock as a listening socket, so that nothing stale is left. It does not reach across containers.
 * @throws {StartupError} when another process holds it
 */
export async function lockDirectory(path: string): Promise<AsyncDisposable> {
  const address = addressOf(await stat(path, { bigint: true }));
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    await once(server.listen(address), "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    if (!isFile(address) || (await isAnswered(address))) {
      throw new StartupError(`${path} is in use by another certctl process`);
    }
    await rm(address, { force: true });
    return lockDirectory(path);
  }
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

/** Whether a certctl process of this machine holds the lock of a directory. */
export async function isLocked(path: string): Promise<boolean> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found !== null && isAnswered(addressOf(found));
}

function addressOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return lockAddress(`certctl-${dev.toString(16)}-${ino.toString(16)}`);
}

function lockAddress(name: string): string {
  if (process.platform === "linux") return `\0${name}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
}

/** A socket file outlives its process; the names of the other systems do not. */
function isFile(address: string): boolean {
  return address.startsWith("/");
}

async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
