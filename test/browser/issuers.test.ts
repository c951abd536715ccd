import { X509Certificate } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeScriptCa, type ScriptCa } from "../script-ca.ts";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import type { System } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** CAs elsewhere: created by the form of their kind, tested, and asked for certificates. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let staged: StagedSystem;
let system: System;
let view: View;
let ca: ScriptCa;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem());
  system = staged.system;
  const home = join(system.directory, "ca");
  await mkdir(home);
  await chmod(home, 0o755);
  const ping = "#!/bin/sh\necho the CA of the head office is up\n";
  ca = await makeScriptCa(home, join(system.dataDir, "server.yaml"), { ping });
  view = parts.use(await browser.open(system));
}, 120_000);
afterAll(() => parts.disposeAsync());

const dialog = () => view.page.getByRole("dialog");
const read = async (path: string) => (await system.rest("GET", `/api/v1/${path}`)).body;

test("a CA behind a command is created by its form, which offers the commands that there are", async () => {
  const { page } = view;
  await view.goto("/issuers?new=true");
  await dialog().getByLabel("Kind").selectOption({ label: "Command" });
  await dialog().getByLabel("Name", { exact: true }).fill("Head office");
  const command = dialog().getByLabel("Command", { exact: true });
  await expect.poll(() => command.locator("option").allTextContents()).toContain("order");
  await command.selectOption("order");
  await dialog().getByLabel("Status command").selectOption("status");
  await dialog().getByLabel("Revoke command").selectOption("revoke");
  await dialog().getByLabel("Test command").selectOption("ping");
  await dialog().getByLabel("Poll seconds").fill("1");
  await expectFine(view, "an issuer's form");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog().getByText("It works: the CA of the head office is up").waitFor();
  await screenshot(page, "issuer-command-form");
  await dialog().getByRole("button", { name: "Create issuer" }).click();
  await page.getByRole("link", { name: "Head office" }).waitFor();
  const { data } = await read("issuers?kind=script");
  expect(data).toMatchObject([
    {
      name: "Head office",
      config: {
        command: "order",
        status_command: "status",
        revoke_command: "revoke",
        test_command: "ping",
        poll_seconds: 1,
      },
    },
  ]);
});

test("its page says what it can do, shows the order that waits, and the certificate is proven once it is approved", async () => {
  const { page } = view;
  const [issuer] = (await read("issuers?kind=script")).data;
  const { name, common_name, sans, target_ids } = await read(`certificates/${staged.certificateId}`);
  const changed = await system.rest("PUT", `/api/v1/certificates/${staged.certificateId}`, {
    name,
    common_name,
    sans,
    target_ids,
    issuer_id: issuer.id,
  });
  expect(changed.body).toMatchObject({ issuer_id: issuer.id });
  await view.goto(`/issuers/${issuer.id}`);
  await page.getByText("sign; revoke; sign an order later than it takes it").waitFor();
  expect(await page.getByRole("table", { name: "Orders that wait" }).count()).toBe(0);
  const renewal = await system.rest("POST", `/api/v1/certificates/${staged.certificateId}/renew`, {});
  const row = page.getByRole("table", { name: "Orders that wait" }).getByRole("row").nth(1);
  await row.getByText("order-7", { exact: true }).waitFor();
  await row.getByText("still waits for approval", { exact: true }).waitFor();
  await expectFine(view, "an issuer with an order that waits");
  await screenshot(page, "issuer-orders");
  await ca.approve();
  const job = await system.job(renewal.body.job_id, ({ outcome }) => outcome !== null);
  expect(job).toMatchObject({ outcome: "Proven", issuer_name: "Head office" });
  await page.getByRole("table", { name: "Orders that wait" }).waitFor({ state: "detached" });
  const { data: versions } = await read(`certificates/${staged.certificateId}/versions`);
  expect(new X509Certificate(versions[0].pem_chain).issuer).toBe("CN=Script-CA");
  expect(await ca.read("calls")).toContain(`status ${renewal.body.job_id} order-7`);
});

test("without server.yaml the form says so", async () => {
  const { page } = view;
  await rm(ca.file);
  await view.goto("/issuers?new=true");
  await dialog().getByLabel("Kind").selectOption({ label: "Command" });
  await page.getByText("server.yaml on the control plane names none").first().waitFor();
});
