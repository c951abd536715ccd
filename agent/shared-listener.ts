import { once } from "node:events";
import type { Server } from "node:net";

export interface Listening {
  server: Server;
  /** Drops the connections that are open. */
  end(): void;
}

/** Listens on an address for as long as anybody needs it. What is returned opens it, and returns how to let go of it. */
export function shareListener(create: () => Listening): (listen: string) => Promise<() => Promise<void>> {
  const open = new Map<string, { users: number; listening: Promise<Listening> }>();
  return async (listen) => {
    const entry = open.get(listen) ?? { users: 0, listening: start(create(), listen) };
    open.set(listen, entry);
    entry.users += 1;

    async function letGo(): Promise<void> {
      entry.users -= 1;
      if (entry.users > 0) return;
      if (open.get(listen) === entry) open.delete(listen);
      const { server, end } = await entry.listening;
      const closed = once(server, "close");
      server.close();
      end();
      await closed;
    }

    try {
      await entry.listening;
    } catch (error) {
      if (open.get(listen) === entry) open.delete(listen);
      throw new Error(`${listen}: ${error instanceof Error ? error.message : error}`);
    }
    return letGo;
  };
}

async function start(listening: Listening, listen: string): Promise<Listening> {
  const { hostname, port } = new URL(`tcp://${listen}`);
  listening.server.listen(Number(port), hostname.replace(/^\[|\]$/g, ""));
  await once(listening.server, "listening");
  return listening;
}
