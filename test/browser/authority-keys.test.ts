import { spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEnterprise } from "../authority-stage.ts";
import { openScratch, openssl, type Scratch } from "../openssl.ts";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { expectAnswers, expectFine, screenshot } from "./look.ts";

/** Keys of certctl's own CAs: brought in with a CA, made in a hardware token, taken offline and brought back. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let scratch: Scratch;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  scratch = parts.use(await openScratch());
  await mkdir(scratch.path("tokens"));
  const conf = await scratch.file("softhsm2.conf", `directories.tokendir = ${scratch.path("tokens")}\n`);
  const init = ["--init-token", "--free", "--label", "ca", "--pin", "1234", "--so-pin", "5678"];
  const made = spawnSync("softhsm2-util", init, { env: { ...process.env, SOFTHSM2_CONF: conf } });
  expect(made.status, String(made.stderr)).toBe(0);
  await writeFile(scratch.path("pin"), "1234\n", { mode: 0o600 });
  const env = {
    SOFTHSM2_CONF: conf,
    CERTCTL_PKCS11_MODULE: "/usr/lib/softhsm/libsofthsm2.so",
    CERTCTL_PKCS11_TOKEN: "ca",
    CERTCTL_PKCS11_PIN_FILE: scratch.path("pin"),
  };
  system = parts.use(await startSystem({ env }));
});
afterAll(() => parts.disposeAsync());

const authorities = async () => (await system.rest("GET", "/api/v1/authorities?sort=name")).body.data;
const named = async (name: string) =>
  (await authorities()).find((authority: { name: string }) => authority.name === name);

test("a CA with its key comes in from files, and signs", async () => {
  await using corp = await openEnterprise();
  const key = scratch.path("corp-ca.key");
  const subject = ["-subj", "/O=Corp/CN=Corp Issuing CA"];
  const asks = ["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext"];
  const usage = "keyUsage=critical,keyCertSign,cRLSign";
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-passout", "pass:of the corp"];
  const csr = await openssl("req", "-new", ...made, "-keyout", key, ...subject, ...asks, usage);
  const chain = await scratch.file("corp-chain.pem", (await corp.sign(csr)) + (await corp.rootPem()));
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/authorities");
  await page.getByRole("button", { name: "Import a CA" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("Corp issuing");
  await dialog.getByLabel("Signs for").selectOption({ label: "Local CA" });
  await dialog.getByLabel("File of: Certificate").setInputFiles(chain);
  await dialog.getByLabel("File of: Private key").setInputFiles(key);
  await dialog.getByRole("button", { name: "Import CA" }).click();
  await dialog.getByText("is missing: the key is encrypted").waitFor();
  await dialog.getByLabel("Passphrase").fill("of the corp");
  await screenshot(page, "authority-import");
  await expectAnswers(view, 400);
  await expectFine(view, "a CA to import");
  await dialog.getByRole("button", { name: "Import CA" }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await named("Corp issuing")).toMatchObject({
    state: "Active",
    key_place: "Database",
    issuer_id: "iss-local",
    subject: "O=Corp, CN=Corp Issuing CA",
  });
  await page.getByRole("link", { name: "Corp issuing" }).waitFor();
  expect(await page.content()).not.toContain("of the corp");
});

test("a CA's key is made in the hardware token, with levels below it", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/authorities");
  await page.getByRole("button", { name: "Create an authority" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("What it is").selectOption({ label: "A root" });
  await dialog.getByLabel("Name", { exact: true }).fill("Token root");
  await dialog.getByLabel("The key lies").selectOption("token");
  await dialog.getByLabel("Key", { exact: false }).first().selectOption({ label: "RSA-2048" });
  await dialog.getByLabel("Levels of CAs below it").fill("2");
  await dialog.getByRole("button", { name: "Create authority" }).click();
  await dialog.getByText("is ECDSA-P256 or ECDSA-P384 in a hardware token").waitFor();
  await dialog.getByLabel("Key", { exact: false }).first().selectOption({ label: "ECDSA-P384" });
  await screenshot(page, "authority-in-token");
  await dialog.getByRole("button", { name: "Create authority" }).click();
  await dialog.waitFor({ state: "detached" });
  const root = await named("Token root");
  expect(root).toMatchObject({ state: "Active", key_place: "Pkcs11", path_length: 2 });
  // A key that never leaves its token is not to be exported either.
  await view.goto(`/authorities/${root.id}`);
  await page.getByText("Pkcs11").first().waitFor();
  expect(await page.getByRole("button", { name: "Take offline…" }).count()).toBe(0);
  await expectAnswers(view, 400);
});

test("a root's key is saved as a file, opened again, removed, and brought back", async () => {
  const { body: root } = await system.rest("POST", "/api/v1/authorities", { name: "Away" });
  const wanted = { name: "Below", issuer_id: "iss-local", parent_id: root.id };
  expect((await system.rest("POST", "/api/v1/authorities", wanted)).status).toBe(201);
  const passphrase = "sixteen characters and more";
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto(`/authorities/${root.id}`);
  await page.getByRole("button", { name: "Take offline…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Passphrase").fill(passphrase);
  await screenshot(page, "authority-export");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    dialog.getByRole("button", { name: "Export key" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${root.id}.key`);
  const path = scratch.path("away.key");
  await download.saveAs(path);
  const pem = await readFile(path, "utf8");
  expect(createPrivateKey({ key: pem, passphrase }).asymmetricKeyType).toBe("ec");
  await dialog.getByText("1 CA below it", { exact: false }).waitFor();
  await dialog.getByLabel("Key file").setInputFiles(path);
  await dialog.getByLabel("Passphrase").fill("something else that is long");
  await dialog.getByRole("button", { name: "Remove the key" }).click();
  await dialog.getByText("does not open with this passphrase").waitFor();
  await dialog.getByLabel("Passphrase").fill(passphrase);
  await expectFine(view, "a root that is taken offline");
  await screenshot(page, "authority-take-offline");
  expect(await named("Away")).toMatchObject({ key_place: "Database" });
  await dialog.getByRole("button", { name: "Remove the key" }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await named("Away")).toMatchObject({ state: "Offline", key_place: "Offline" });
  await page.getByRole("button", { name: "Bring its key back" }).click();
  await dialog.getByLabel("Key file").setInputFiles(path);
  await dialog.getByLabel("Passphrase").fill("something else that is long");
  await dialog.getByRole("button", { name: "Bring back" }).click();
  await dialog.getByText("does not open the key").waitFor();
  await screenshot(page, "authority-restore");
  await dialog.getByLabel("Passphrase").fill(passphrase);
  await dialog.getByRole("button", { name: "Bring back" }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await named("Away")).toMatchObject({ state: "Active", key_place: "Database" });
  await page.getByRole("button", { name: "Take offline…" }).waitFor();
  await expectAnswers(view, 400);
  await expectFine(view, "a root that signs again");
});
