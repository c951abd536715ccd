import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

/** What the layout promises and no linter can say. */

const root = join(import.meta.dirname, "..");
const files = ["src", "agent", "cli", "demo", "scripts", "bench", "test", "web/src"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** The project's files that a file imports. */
function importsOf({ path, text }: { path: string; text: string }): string[] {
  const specifiers = Array.from(
    text.matchAll(/(?:from|import) "(\.[^"]+)"/g),
    ([, specifier = ""]) => specifier,
  );
  return specifiers.map((specifier) => join(path, "..", specifier));
}

function offenders(isOffence: (path: string, imported: string) => boolean): string[] {
  return files
    .filter(({ path }) => !/\.test\.tsx?$/.test(path))
    .flatMap((file) =>
      importsOf(file)
        .filter((imported) => isOffence(file.path, imported))
        .map((imported) => `${file.path} imports ${imported}`),
    );
}

const folderOf = (path: string) => path.split("/").slice(0, 2).join("/");

describe("architecture", () => {
  test("the agent imports nothing of the control plane but targets, X.509 and the platform", () => {
    const allowed = ["src/targets", "src/x509", "src/platform"];
    expect(
      offenders(
        (path, imported) =>
          path.startsWith("agent/") && imported.startsWith("src/") && !allowed.includes(folderOf(imported)),
      ),
    ).toEqual([]);
  });

  test("nothing imports the command line client, and it reaches the control plane by its API alone", () => {
    const shared = ["src/platform", "src/x509", "src/rest"];
    const pure = ["src/audit/evidence.ts", "src/audit/verify.ts"];
    const mains = ["src/main.ts", "agent/main.ts", "src/rotate-keys.ts"];
    expect(
      offenders((path, imported) => imported.startsWith("cli/") && !/^(cli|test|scripts)\//.test(path)),
    ).toEqual([]);
    expect(
      offenders(
        (path, imported) =>
          path.startsWith("cli/") &&
          imported.startsWith("src/") &&
          !shared.includes(folderOf(imported)) &&
          ![...mains, ...pure].includes(imported),
      ),
    ).toEqual([]);
  });

  test("the dashboard shares with the control plane the contract, REST's formats and the words alone", () => {
    const shared = [
      "src/rest/json.ts",
      "src/rest/binding.ts",
      "src/rest/path-router.ts",
      "src/rest/command-words.ts",
      "src/rest/csv.ts",
      "src/platform/words.ts",
    ];
    expect(
      offenders(
        (path, imported) =>
          path.startsWith("web/") && !imported.startsWith("web/") && !shared.includes(imported),
      ),
    ).toEqual([]);
    expect(offenders((path, imported) => imported.startsWith("web/") && !/^(web|test)\//.test(path))).toEqual(
      [],
    );
  });

  test("X.509 and the platform know no feature", () => {
    const leaves = ["src/x509", "src/platform"];
    expect(
      offenders((path, imported) => leaves.includes(folderOf(path)) && !leaves.includes(folderOf(imported))),
    ).toEqual([]);
    expect(
      offenders((path, imported) => path.startsWith("src/x509/") && !imported.startsWith("src/x509/")),
    ).toEqual([]);
  });

  test("no feature reaches into another's store", () => {
    const isForeign = (path: string, imported: string) =>
      imported.endsWith("/store.ts") && folderOf(path) !== folderOf(imported);
    const builders = ["src/app.ts", "demo/", "bench/", "test/"];
    expect(
      offenders(
        (path, imported) => isForeign(path, imported) && !builders.some((start) => path.startsWith(start)),
      ),
    ).toEqual([]);
  });

  test("connectors import no database", () => {
    const edges = [
      "src/targets/rpc.ts",
      "src/targets/manage.ts",
      "src/targets/view.ts",
      "src/issuers/rpc.ts",
      "src/issuers/manage.ts",
      "src/issuers/view.ts",
      "src/issuers/list-orders.ts",
      "src/issuers/record.ts",
      "src/issuers/account.ts",
      "src/issuers/tools.ts",
      "src/issuers/order.ts",
      "src/issuers/order-budget.ts",
      "src/issuers/budget-use.ts",
      "src/issuers/standby.ts",
      "src/issuers/canary.ts",
      "src/issuers/default-issuer.ts",
      "src/notifiers/manage.ts",
      "src/notifiers/rpc.ts",
      "src/notifiers/view.ts",
    ];
    expect(
      offenders(
        (path, imported) =>
          ["src/targets", "src/issuers", "src/notifiers"].includes(folderOf(path)) &&
          !edges.includes(path) &&
          imported === "src/platform/database.ts",
      ),
    ).toEqual([]);
  });

  test("only the entry points read the environment, and hand it to the configuration", () => {
    const allowed = [
      "src/platform/process.ts",
      "src/main.ts",
      "src/start.ts",
      "agent/main.ts",
      "cli/main.ts",
      "src/sample/agent-process.ts",
    ];
    const readers = files
      .filter(
        ({ path, text }) =>
          /^(src|agent|cli)\//.test(path) && !/\.test\.tsx?$/.test(path) && text.includes("process.env"),
      )
      .map(({ path }) => path);
    expect(readers.filter((path) => !allowed.includes(path))).toEqual([]);
  });

  test("no file is longer than a reader takes in", () => {
    const long = files.filter(({ text }) => text.split("\n").length > 301).map(({ path }) => path);
    expect(long).toEqual([]);
  });

  test("comments tell no history and leave nothing undone", () => {
    const tales = /\/\/.*\b(TODO|FIXME|XXX|previously|used to be|no longer needed|Phase \d|Sprint)\b/;
    expect(
      files
        .filter(({ path, text }) => path !== "src/architecture.test.ts" && tales.test(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});
