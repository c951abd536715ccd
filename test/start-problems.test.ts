import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { type Machine, newMachine, typeCtrlC } from "./npm-start.ts";
import { leftOf } from "./processes-of.ts";

/** A key for the database that is none of anybody's. */
const encryptionKey = Buffer.alloc(32, 7).toString("base64");

interface Problem {
  what: string;
  /** Makes it; what is to be set for npm start. */
  make(machine: Machine): Promise<Record<string, string>>;
  sentence: RegExp;
}

const problems: Problem[] = [
  {
    what: "a data directory below a file",
    async make({ dataDir }) {
      await writeFile(dataDir, "in the way");
      return { CERTCTL_DATA_DIR: join(dataDir, "below") };
    },
    sentence: /the data directory .*below cannot be written .*set CERTCTL_DATA_DIR/,
  },
  {
    what: "a data directory of somebody else",
    async make({ dataDir }) {
      await mkdir(dataDir, { mode: 0o500 });
      // Access rights do not stop root; a file in the way does.
      if (process.getuid?.() === 0) {
        await rm(dataDir, { recursive: true });
        await writeFile(dataDir, "in the way");
      }
      return {};
    },
    sentence: /the data directory .* cannot be written .*set CERTCTL_DATA_DIR/,
  },
  {
    what: "a database that nobody serves",
    async make() {
      const DATABASE_URL = `postgresql://certctl:secret@127.0.0.1:${await freePort()}/certctl`;
      return { DATABASE_URL, CERTCTL_CONFIG_ENCRYPTION_KEY: encryptionKey };
    },
    sentence: /the database cannot be reached: .*ECONNREFUSED/,
  },
  {
    what: "an embedded database of another release",
    async make({ dataDir }) {
      await mkdir(join(dataDir, "postgres", "data"), { recursive: true });
      await writeFile(join(dataDir, "postgres", "data", "PG_VERSION"), "1\n");
      return {};
    },
    sentence: /.* was written by PostgreSQL 1, this release brings \d+: dump it/,
  },
  {
    what: "an embedded database that is damaged",
    async make({ dataDir }) {
      await mkdir(join(dataDir, "postgres", "data"), { recursive: true, mode: 0o700 });
      await writeFile(join(dataDir, "postgres", "data", "PG_VERSION"), "18\n");
      await writeFile(join(dataDir, "postgres", "password"), "secret");
      return {};
    },
    sentence: /PostgreSQL does not start: .*could not access the server configuration file/,
  },
  {
    what: "settings that are none",
    async make() {
      return { CERTCTL_PORT: "https", CERTCTL_DEMO_PORT: "0" };
    },
    sentence: /the configuration is wrong: CERTCTL_PORT: .*; CERTCTL_DEMO_PORT: /,
  },
];

describe("npm start says in one sentence what is to be mended, and leaves nothing running:", () => {
  test.each(problems)("$what", async ({ make, sentence }) => {
    await using machine = await newMachine();
    const env = await make(machine);
    await expectSentence(machine, env, sentence);
  });

  test.each(["CERTCTL_PORT", "CERTCTL_DEMO_PORT"])("a port of %s that is taken", async (variable) => {
    await using machine = await newMachine();
    await using taken = await takePort();
    const sentence = new RegExp(`port ${taken.port} is taken; set ${variable} to another`);
    await expectSentence(machine, { [variable]: String(taken.port) }, sentence);
  });

  test("a data directory that is in use", async () => {
    await using machine = await newMachine();
    const first = machine.npmStart();
    await first.line("proven ");
    const other = machine.npmStart();
    expect(await other.exited).toBe(1);
    expect(sentencesOf(other.said("stderr"))).toEqual([
      `certctl: ${machine.dataDir} is in use by another certctl process`,
    ]);
    const { status } = await (await machine.rest())("GET", "/api/v1/certificates/mc-demo");
    expect(status).toBe(200);
    typeCtrlC(first);
    expect(await leftOf(machine.dataDir)).toEqual([]);
  });
});

async function expectSentence(
  machine: Machine,
  env: Record<string, string>,
  sentence: RegExp,
): Promise<void> {
  const npm = machine.npmStart(env);
  await once(npm.child, "close");
  expect(await npm.exited).toBe(1);
  const sentences = sentencesOf(npm.said("stderr"));
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toMatch(new RegExp(`^certctl: ${sentence.source}`));
  expect(sentences[0]).not.toContain("secret");
  expect(await leftOf(dirname(machine.dataDir))).toEqual([]);
}

/** What was said beside npm's own remarks. */
function sentencesOf(stderr: string): string[] {
  return stderr.split("\n").filter((line) => line !== "" && !line.startsWith("npm "));
}

async function takePort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
