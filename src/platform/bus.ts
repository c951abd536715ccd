import pg from "pg";
import type { Transaction } from "./database.ts";
import type { Log } from "./log.ts";

/**
 * What is said between replicas. `work`: an agent id that has work. `session`: "<agent id> <epoch>" of a newer stream or an
 * ended identity. `job`: the id of a job that changed. `schedule`: the name of a scheduled task that is to run
 * now. `lease`: "<agent id> <job id> <lease id>" of a lease that was taken away. `changed`: "<topic> <id>" of a row that was
 * written, "<topic> *" of many; the database's triggers say it. `probe`: a question to an agent about a target, JSON; `probed`: its
 * answer. `challenge`: a CA's challenge that an agent is to answer, JSON; `challenged`: what came of it.
 */
export const channels = [
  "work",
  "session",
  "job",
  "schedule",
  "lease",
  "changed",
  "probe",
  "probed",
  "challenge",
  "challenged",
] as const;
export type Channel = (typeof channels)[number];

type Listener = (payload: string) => unknown;

/** Wakes what waits, on this replica and the others. Losing a message costs time, never correctness. */
export interface Bus extends AsyncDisposable {
  /** The subscription ends when what is returned is disposed of. */
  subscribe(channel: Channel, listener: Listener): Disposable;
  /** Says it on this replica only, at once: for what is not worth a commit's global lock. */
  tell(channel: Channel, payload: string): void;
  /** Called after the connection was lost and is back: everything may have been missed. */
  onResumed(listener: () => void): Disposable;
}

/** Says it on every replica when the transaction commits. */
export async function notify(tx: Transaction, channel: Channel, payload: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${`certctl_${channel}`}, ${payload})`;
}

const probeEveryMs = 30_000;
const reconnectAfterMs = 250;

/** Listens on a connection of its own (a pooled one loses LISTEN) and replaces it when it breaks. */
export async function openBus(url: string, log: Log): Promise<Bus> {
  const listeners = new Map<Channel, Set<Listener>>(channels.map((channel) => [channel, new Set()]));
  const resumed = new Set<() => void>();
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  function tell(channel: Channel, payload: string): void {
    for (const listener of listeners.get(channel) ?? []) listener(payload);
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: 10_000 });
    next.on("notification", ({ channel, payload }) =>
      tell(channel.replace("certctl_", "") as Channel, payload ?? ""),
    );
    next.once("end", () => lost(next));
    next.on("error", () => lost(next));
    await next.connect();
    for (const channel of channels) await next.query(`LISTEN certctl_${channel}`);
    client = next;
  }

  function lost(broken: pg.Client): void {
    if (isClosed || client !== broken) return;
    client = undefined;
    log.warn("the notification connection broke; reconnecting");
    reconnect();
  }

  function reconnect(): void {
    retry = setTimeout(() => {
      connect().then(
        () => {
          for (const listener of resumed) listener();
        },
        () => isClosed || reconnect(),
      );
    }, reconnectAfterMs);
  }

  // A dead peer that never says goodbye is found by asking it something.
  const probe = setInterval(() => {
    const asked = client;
    if (!asked) return;
    const timeout = setTimeout(() => asked.end().catch(() => {}), 5_000);
    asked.query("SELECT 1").then(
      () => clearTimeout(timeout),
      () => lost(asked),
    );
  }, probeEveryMs);

  await connect();
  return {
    tell,
    subscribe(channel, listener) {
      listeners.get(channel)?.add(listener);
      return { [Symbol.dispose]: () => void listeners.get(channel)?.delete(listener) };
    },
    onResumed(listener) {
      resumed.add(listener);
      return { [Symbol.dispose]: () => void resumed.delete(listener) };
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearInterval(probe);
      clearTimeout(retry);
      await client?.end();
    },
  };
}
