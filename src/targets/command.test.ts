import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { run } from "./command.ts";

const limits = () => ({ signal: new AbortController().signal, timeoutMs: 10_000 });

test("answers what was printed, standard error first", async () => {
  expect(await run(["sh", "-c", "echo out"], limits())).toBe("out");
  expect(await run(["sh", "-c", "echo out; echo err >&2"], limits())).toBe("err");
});

test("reads no shell syntax", async () => {
  expect(await run(["echo", "$HOME; id", "`id`"], limits())).toBe("$HOME; id `id`");
});

test("gives a command nothing but PATH and LANG", async () => {
  const names = (await run(["env"], limits())).split("\n").map((line) => line.split("=")[0]);
  expect(names.sort()).toEqual(["LANG", "PATH"]);
});

test("throws in the command's own words, without keys", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----";
  const failed = run(["sh", "-c", 'echo "bad $1" >&2; exit 7', "sh", key], limits());
  await expect(failed).rejects.toThrow(/^sh exited with code 7: bad \[private key removed\]$/);
});

test("says that a program is not there", async () => {
  await expect(run(["certctl-no-such-program"], limits())).rejects.toThrow(/cannot be started: .*ENOENT/);
});

test("ends a command that takes too long, with all that it started", async () => {
  const slow = run(["sh", "-c", "sleep 60 & echo $!; wait"], { ...limits(), timeoutMs: 300 });
  const error = await slow.catch((reason: unknown) => String(reason));
  const pid = Number(/did not finish within 0\.3 s: (\d+)/.exec(String(error))?.[1]);
  expect(pid).toBeGreaterThan(1);
  await expectEnd(pid);
});

test("ends a command on a signal and rejects with its reason", async () => {
  const stop = new AbortController();
  const stopped = run(["sleep", "60"], { ...limits(), signal: stop.signal });
  stop.abort(new Error("the lease is lost"));
  await expect(stopped).rejects.toThrow("the lease is lost");
});

test("does not wait for a daemon that holds the output open", async () => {
  const output = await run(["sh", "-c", "sleep 60 & echo $!"], { ...limits(), timeoutMs: 20_000 });
  process.kill(Number(output), "SIGKILL");
  await expectEnd(Number(output));
});

test("takes only so much output", async () => {
  const output = await run(["sh", "-c", "yes | head -c 1000000; echo end"], limits());
  expect(output.length).toBe(7168);
});

/** Waits until the process is gone, or a zombie that only its parent can clear away. */
async function expectEnd(pid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const state = await run(["ps", "-o", "stat=", "-p", String(pid)], limits()).catch(() => "");
    if (state === "" || state.startsWith("Z")) return;
    await delay(20);
  }
  throw new Error(`process ${pid} still runs`);
}
