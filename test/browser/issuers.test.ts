import { X509Certificate } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGoogleCas } from "../fakes/google-cas.ts";
import { startVault } from "../fakes/vault.ts";
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
  staged = parts.use(await stageSystem({ env: { CERTCTL_EGRESS_ALLOW: "127.0.0.0/8, ::1/128" } }));
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

/** Gives the certificate of the web server to an issuer. */
async function signBy(issuerId: string): Promise<void> {
  const { name, common_name, sans, target_ids } = await read(`certificates/${staged.certificateId}`);
  const wanted = { name, common_name, sans, target_ids, issuer_id: issuerId };
  const { body } = await system.rest("PUT", `/api/v1/certificates/${staged.certificateId}`, wanted);
  expect(body).toMatchObject({ issuer_id: issuerId });
}

async function newestSigner(): Promise<string> {
  const { data } = await read(`certificates/${staged.certificateId}/versions`);
  return new X509Certificate(data[0].pem_chain).issuer;
}

/** Has an issuer sign what the web server then serves; who signed it. */
async function proven(issuerId: string): Promise<string> {
  await signBy(issuerId);
  expect(await system.renew(staged.certificateId)).toMatchObject({ outcome: "Proven" });
  return newestSigner();
}

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
  await page.getByRole("row").filter({ hasText: "Head office" }).getByText("Command").first().waitFor();
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
  await signBy(issuer.id);
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
  expect(await newestSigner()).toBe("CN=Script-CA");
  expect(await ca.read("calls")).toContain(`status ${renewal.body.job_id} order-7`);
});

test("without server.yaml the form says so", async () => {
  const { page } = view;
  await rm(ca.file);
  await view.goto("/issuers?new=true");
  await dialog().getByLabel("Kind").selectOption({ label: "Command" });
  await page.getByText("server.yaml on the control plane names none").first().waitFor();
});

test("Vault is reached by an AppRole: the form asks for what that takes, and keeps its secret", async () => {
  const { page } = view;
  await using vault = await startVault(() => new Date());
  await view.goto("/issuers?new=true");
  await dialog().getByLabel("Kind").selectOption({ label: "HashiCorp Vault or OpenBao" });
  await dialog().getByLabel("Name", { exact: true }).fill("Vault");
  await dialog().getByLabel("Address").fill(vault.server.url);
  await dialog().getByLabel(/^CA/).fill(vault.server.ca);
  await dialog().getByLabel("Role", { exact: true }).fill("web");
  await dialog().getByLabel("Method").selectOption("token");
  expect(await dialog().getByLabel("Role ID").count()).toBe(0);
  await dialog().getByLabel("Method").selectOption("approle");
  await dialog().getByLabel("Role ID").fill(vault.approle.roleId);
  await dialog().getByLabel("Secret ID").fill("a-wrong-secret");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog()
    .getByText(/It does not work/)
    .waitFor();
  await dialog().getByLabel("Secret ID").fill(vault.approle.secretId);
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog()
    .getByText(/It works: role web signs/)
    .waitFor();
  await expectFine(view, "Vault's form");
  await screenshot(page, "issuer-vault-form");
  await dialog().getByRole("button", { name: "Create issuer" }).click();
  await page.getByRole("link", { name: "Vault", exact: true }).click();
  await page.getByText("kept, and not shown").waitFor();
  await view.settle();
  await expectFine(view, "a Vault issuer");
  await screenshot(page, "issuer-vault");
  const [issuer] = (await read("issuers?kind=vault")).data;
  expect(issuer.config.auth).toEqual({
    method: "approle",
    role_id: vault.approle.roleId,
    secret_id: "********",
    mount: "approle",
  });
  expect(await proven(issuer.id)).toBe("CN=Fake Issuing CA");
  expect(vault.signed).toHaveLength(1);

  // Another role, with the secret that is kept.
  await view.goto(`/issuers/${issuer.id}`);
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog().getByLabel("Role", { exact: true }).fill("other");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog()
    .getByText(/It does not work: .*other/)
    .waitFor();
  expect(view.problems).toEqual([]);
});

test("Google's key file is typed in several lines, and its certificates are proven", async () => {
  const { page } = view;
  await using google = await startGoogleCas(() => new Date());
  await view.goto("/issuers?new=true");
  await dialog().getByLabel("Kind").selectOption({ label: "Google Cloud CA Service" });
  await dialog().getByLabel("Name", { exact: true }).fill("Google");
  await dialog().getByLabel("Project").fill("acme-pki");
  await dialog().getByLabel("Location").fill("europe-west1");
  await dialog().getByLabel("CA pool").fill("servers");
  await dialog().getByLabel("Service account's key").fill(google.keyFile);
  await dialog().getByLabel(/^API/).fill(google.server.url);
  await dialog()
    .getByLabel(/^Token endpoint/)
    .fill(`${google.server.url}/token`);
  await dialog().getByLabel("CA optional", { exact: true }).fill(google.server.ca);
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog().getByText("It works").waitFor();
  await expectFine(view, "Google's form");
  await screenshot(page, "issuer-google-form");
  await dialog().getByRole("button", { name: "Create issuer" }).click();
  await page.getByRole("link", { name: "Google", exact: true }).waitFor();
  const [issuer] = (await read("issuers?kind=google-cas")).data;
  expect(await proven(issuer.id)).toBe("CN=Fake Issuing CA");
});

test("an ACME issuer's page shows what is used of its CA's rate limits, and when there is room again", async () => {
  const { page } = view;
  const config = { directory_url: "https://localhost:1/dir", budget: { certificates_per_domain_week: 1 } };
  const { body } = await system.rest("POST", "/api/v1/issuers", { name: "Public CA", kind: "acme", config });
  const database = new Client({ connectionString: system.databaseUrl });
  await database.connect();
  await database.query(
    `INSERT INTO placed_orders (id, issuer_id, account, key_id, domains, name_set, is_replacement, placed_at)
      VALUES ('plo-1', $1, $2, 'key-1', '{shop.example}', 'www.shop.example', false, now() - interval '6 days')`,
    [body.id, config.directory_url],
  );
  await database.end();
  await view.goto(`/issuers/${body.id}`);
  const rows = page.getByRole("table", { name: "Budget" }).getByRole("row");
  await expect.poll(() => rows.allTextContents()).toHaveLength(4);
  const [, orders, domain, names] = await rows.allTextContents();
  expect(orders).toMatch(/^Orders in 3 hours.*0 of 300there is$/);
  expect(domain).toMatch(/^Certificates for shop\.example in 7 days.*1 of 1(in )?\d/);
  expect(names).toMatch(/^Certificates for exactly www\.shop\.example in 7 days.*1 of 5there is$/);
  await expectFine(view, "an ACME issuer");
  await screenshot(page, "issuer-budget");
  await view.goto("/renewals");
  await page.getByText("Public CA orders at most 2,400 a day").waitFor();
});
