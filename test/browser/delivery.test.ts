import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import { nginxEntry, type System } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectAnswers, expectFine, screenshot } from "./look.ts";

/** Agents, targets, issuers and jobs: forms that say what is wrong, and actions that say what they do. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let staged: StagedSystem;
let system: System;
let view: View;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem());
  system = staged.system;
  await system.rest("POST", "/api/v1/agents", { id: "ag-away", name: "away" });
  view = parts.use(await browser.open(system));
});
afterAll(() => parts.disposeAsync());

const dialog = () => view.page.getByRole("dialog");
const told = (text: string) => view.page.getByText(text).filter({ visible: true }).first().waitFor();

test("a target's form offers what its agent allows, and says at each field what is wrong with it", async () => {
  const { page } = view;
  await view.goto("/targets");
  await page.getByRole("button", { name: "Create a target" }).click();
  await dialog().getByLabel("Agent", { exact: true }).selectOption({ label: "away" });
  await dialog().getByLabel("Name", { exact: true }).fill("web");
  await dialog().getByLabel("Entry in agent.yaml").fill("no good");
  await dialog().getByRole("button", { name: "Create target" }).click();
  await dialog().getByText("has to be letters, digits, - and _").waitFor();
  await expectAnswers(view, 400);
  // The first field that is wrong has the focus.
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-invalid")))
    .toBe("true");
  await expectFine(view, "a form with something wrong");
  await screenshot(page, "target-form-refused");
  await dialog().getByLabel("Entry in agent.yaml").fill("site");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog().getByText("agent away is offline").waitFor();
  await dialog().getByLabel("Agent", { exact: true }).selectOption("ag-web");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog().getByText("a deployment finds what it needs").waitFor();
  await dialog().getByLabel("Name", { exact: true }).fill("web 2");
  await dialog().getByRole("button", { name: "Create target" }).click();
  await page.getByRole("link", { name: "web 2" }).click();
  await page.getByRole("heading", { name: "web 2", level: 1 }).waitFor();
  await told("No certificate is deployed here");
});

test("a target of every kind is asked for in the same form", async () => {
  const { page } = view;
  const { body } = await system.rest("GET", "/api/v1/target-kinds");
  await view.goto("/targets");
  await page.getByRole("button", { name: "Create a target" }).click();
  const kind = dialog().getByLabel("Kind", { exact: true });
  const titles = await kind.getByRole("option").allTextContents();
  expect(titles).toEqual(body.data.map(({ title }: { title: string }) => title));
  for (const label of titles) {
    await kind.selectOption({ label });
    await dialog().getByLabel("Entry in agent.yaml").waitFor();
    await dialog().getByLabel("Server name").waitFor();
  }
  await dialog().getByLabel("Agent", { exact: true }).selectOption({ label: "away" });
  await kind.selectOption({ label: "Postfix" });
  await dialog().getByLabel("Name", { exact: true }).fill("mail");
  await dialog().getByLabel("Entry in agent.yaml").fill("mail");
  await screenshot(page, "target-form-kinds");
  await dialog().getByRole("button", { name: "Create target" }).click();
  await page.getByRole("link", { name: "mail" }).click();
  await page.getByRole("heading", { name: "mail", level: 1 }).waitFor();
  await told("Postfix");
});

test("a form that is sent before its kinds are there loses nothing", async () => {
  const { page } = view;
  const held = Promise.withResolvers<void>();
  await page.route("**/api/v1/target-kinds*", async (route) => {
    await held.promise;
    await route.continue();
  });
  await view.goto("/targets/tgt-web");
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog().getByLabel("Name", { exact: true }).fill("web");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog().getByText("a deployment finds what it needs").waitFor();
  const saved = page.waitForResponse((answer) => answer.request().method() === "PUT");
  await dialog().getByRole("button", { name: "Save" }).click();
  expect((await saved).status()).toBe(200);
  held.resolve();
  await dialog().waitFor({ state: "detached" });
  await page.unroute("**/api/v1/target-kinds*");
  expect((await system.rest("GET", "/api/v1/targets/tgt-web")).body.config).toEqual({ entry: "site" });
});

test("a target is tested from its page, and is not archived while a certificate is deployed to it", async () => {
  const { page } = view;
  await view.goto("/targets/tgt-web");
  await page.getByRole("button", { name: "Test connection" }).click();
  await told("a deployment finds what it needs");
  await page.getByRole("button", { name: "More actions" }).click();
  await told("1 certificate deployed to it; take it from them first");
  await page.keyboard.press("Escape");
});

test("an issuer is created by its kind's form, tested, and disabled with its consequences said", async () => {
  const { page } = view;
  await view.goto("/issuers");
  await page.getByRole("button", { name: "Create an issuer" }).click();
  await dialog().getByLabel("Name", { exact: true }).fill("Second CA");
  await dialog().getByRole("button", { name: "Test connection" }).click();
  await dialog().getByText("It works").waitFor();
  await expectFine(view, "an issuer's form");
  await dialog().getByRole("button", { name: "Create issuer" }).click();
  await page.getByRole("link", { name: "Second CA" }).click();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Disable…" }).click();
  await dialog().getByText("renewals of 0 certificates are refused").waitFor();
  await dialog().getByRole("button", { name: "Disable 1 issuer" }).click();
  await told("Disabled");
});

test("an agent is not retired before it is said what depends on it", async () => {
  const { page } = view;
  await view.goto("/agents/ag-web");
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Retire…" }).click();
  await dialog()
    .getByText(/\d targets? archived/)
    .waitFor();
  await dialog().getByText("1 certificate left without an agent", { exact: false }).waitFor();
  await expectFine(view, "a retirement");
  await screenshot(page, "retire-agent");
  const retire = dialog().getByRole("button", { name: "Retire 1 agent" });
  expect(await retire.getAttribute("aria-disabled")).toBe("true");
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("a job that waits says for whom, and is cancelled and retried from its page", async () => {
  const { page } = view;
  const wanted = { name: "waiting", common_name: "waiting.example.test", agent_id: "ag-away" };
  const { body: certificate } = await system.rest("POST", "/api/v1/certificates", wanted);
  await system.rest("POST", `/api/v1/certificates/${certificate.id}/renew`);
  await view.goto("/jobs?q=waiting");
  await told("waits for agent away, which is offline");
  await page.getByRole("link", { name: "Issuance" }).click();
  await page.getByRole("heading", { name: "Issuance of waiting" }).waitFor();
  await page.getByRole("button", { name: "Cancel job" }).click();
  await dialog().getByRole("button", { name: "Cancel 1 job" }).click();
  await told("Cancelled");
  await page.getByRole("button", { name: "Retry" }).click();
  await told("Awaiting CSR");
  await expectFine(view, "a job that waits");
});

test("what failed for one cause is put together, and retried as one operation that is followed", {
  timeout: 90_000,
}, async () => {
  const { page } = view;
  // The owner of the host takes the directory away: every deployment fails.
  await staged.agent.allow({ allowed_directories: [], targets: { site: nginxEntry(staged.nginx) } });
  const failed = await system.renew(staged.certificateId);
  expect(failed.outcome).toBe("NotProven");
  await view.goto(`/jobs/${failed.child_job_ids[0]}`);
  await told("Failed at host file");
  await told("Look into agent.yaml on the agent's host");
  await page.getByRole("button", { name: "Copy diagnosis" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain(`certctl job ${failed.child_job_ids[0]}`);
  expect(copied).toContain("lies in none of the allowed directories");
  await expectFine(view, "a job that failed");
  await screenshot(page, "job-failed");

  await view.goto("/jobs?view=causes");
  await page.getByRole("button", { name: "Retry 1" }).first().waitFor();
  await expectFine(view, "causes");
  await screenshot(page, "job-causes");
  const { site } = staged.nginx;
  const directory = site.slice(0, site.lastIndexOf("/"));
  await staged.agent.allow({ allowed_directories: [directory], targets: { site: nginxEntry(staged.nginx) } });
  await page.getByRole("button", { name: "Retry 1" }).first().click();
  await dialog().getByRole("button", { name: "Retry 1 job" }).click();
  await page.getByRole("heading", { name: "Retry jobs: 1 certificate" }).waitFor();
  await told("Completed");
  await system.job(failed.child_job_ids[0], ({ outcome }) => outcome === "Proven");
  await expectFine(view, "an operation");
  await screenshot(page, "operation-retry");
  expect(view.problems).toEqual([]);
});

test("several jobs are cancelled and retried from the list", async () => {
  const { page } = view;
  for (const name of ["many-1", "many-2"]) {
    const wanted = { name, common_name: `${name}.example.test`, agent_id: "ag-away" };
    const { body: certificate } = await system.rest("POST", "/api/v1/certificates", wanted);
    await system.rest("POST", `/api/v1/certificates/${certificate.id}/renew`);
  }
  await view.goto("/jobs?q=many");
  await expect.poll(() => page.locator("tbody tr").count()).toBe(2);
  const choose = () => page.getByRole("checkbox", { name: "Choose every row of this page" }).check();
  await choose();
  await expectFine(view, "chosen jobs");
  await page.getByRole("button", { name: "Cancel 2 jobs" }).click();
  await dialog().getByRole("button", { name: "Cancel 2 jobs" }).click();
  await told("2 jobs cancelled");
  await expect
    .poll(() => page.locator("tbody").getByText("Cancelled").filter({ visible: true }).count())
    .toBe(2);
  await choose();
  await page.getByRole("button", { name: "Retry 2 jobs" }).click();
  await told("2 jobs retried");
  await expect
    .poll(() => page.locator("tbody").getByText("Awaiting CSR").filter({ visible: true }).count())
    .toBe(2);
});

test("an operation that waits for a person is approved, and its results are saved", async () => {
  const { page } = view;
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  // As the renewal checker leaves one.
  await client.query(`INSERT INTO operations (id, kind, status, filter, changes, reason, created_by, created_type)
    VALUES ('op-held', 'EarlyRenewals', 'AwaitingApproval', '{}', '{}', 'Has a renewal policy been changed?', 'system', 'System')`);
  await client.query(
    "INSERT INTO operation_items (operation_id, certificate_id, job_ids) VALUES ('op-held', $1, '{}')",
    [staged.certificateId],
  );
  await client.end();
  await view.goto("/operations");
  await told("Waits for a yes");
  await page.getByRole("link", { name: "Early renewals" }).click();
  await told("Has a renewal policy been changed?");
  await expectFine(view, "an operation that waits");
  await screenshot(page, "operation-held");
  await page.getByRole("button", { name: "Approve 1 certificate" }).click();
  await told("Completed");
  await told("it is not due any more");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export results" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("op-held.csv");
  const text = await readFile(await download.path(), "utf8");
  expect(text.split("\r\n")).toEqual([
    "certificate_id,certificate_name,status,message,job_ids",
    "mc-web,web,Skipped,it is not due any more,",
    "",
  ]);
  expect(view.problems).toEqual([]);
});
