import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { probe } from "../../src/targets/probe.ts";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import type { System } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { screenshot, violations } from "./look.ts";

/** The certificates' pages, over an agent and an nginx. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let staged: StagedSystem;
let system: System;
let view: View;
const fleet = 60;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem());
  system = staged.system;
  await system.rest("POST", "/api/v1/agents", { id: "ag-away", name: "away" });
  for (let number = 1; number <= fleet; number += 1) {
    const name = `fleet-${String(number).padStart(2, "0")}`;
    await system.rest("POST", "/api/v1/certificates", {
      name: number === 1 ? "=fleet-formula" : name,
      common_name: `${name}.example.test`,
      agent_id: "ag-away",
      environment: number % 2 ? "production" : "staging",
    });
  }
});
afterAll(() => parts.disposeAsync());
beforeEach(async () => {
  view = await browser.open(system);
  return () => view[Symbol.asyncDispose]();
});

async function servedFingerprint(): Promise<string> {
  const options = { serverName: staged.serverName, rootPem: null, signal: AbortSignal.timeout(5_000) };
  return (await probe(staged.nginx.endpoint, options)).fingerprintSha256;
}

async function totalOf(query: string): Promise<number> {
  return (await system.rest("GET", `/api/v1/certificates?per_page=1&${query}`)).body.total;
}

describe("the list", () => {
  test("counts what each filter leaves, keeps filters in the URL, and goes back through them", async () => {
    const { page } = view;
    await view.goto("/certificates");
    await page.getByRole("button", { name: "Environment" }).click();
    const staging = page.getByRole("menuitemcheckbox", { name: /staging/ });
    await staging.waitFor();
    expect(await staging.textContent()).toContain(String(await totalOf("environments=staging")));
    await staging.click();
    await page.keyboard.press("Escape");
    await page.waitForURL(/environment=staging/);
    await page.getByRole("searchbox").fill("fleet-1");
    await page.waitForURL(/q=fleet-1/);
    await view.settle();
    const rows = () => page.getByRole("table", { name: "Certificates" }).locator("tbody tr").count();
    expect(await rows()).toBe(await totalOf("environments=staging&q=fleet-1"));
    const url = page.url();
    await page.reload();
    await view.settle();
    expect(page.url()).toBe(url);
    expect(await rows()).toBe(await totalOf("environments=staging&q=fleet-1"));
    await page.getByRole("button", { name: "Remove the filter Environment staging" }).click();
    await page.waitForURL((at) => !at.search.includes("environment"));
    await page.goBack();
    await page.waitForURL(/environment=staging/);
    expect(view.problems).toEqual([]);
  });

  test("acts on all that match as they were counted, wherever one goes meanwhile", async () => {
    const { page } = view;
    const { body: owner } = await system.rest("POST", "/api/v1/owners", {
      id: "o-bulk",
      name: "Bulk",
      email: "bulk@example.test",
    });
    await view.goto("/certificates?q=fleet&environment=production");
    const wanted = await totalOf("environments=production&q=fleet");
    await page.getByRole("checkbox", { name: "Choose every row of this page" }).check();
    await page.getByRole("button", { name: "Reassign…" }).waitFor();
    if (await page.getByRole("button", { name: /^Choose all/ }).isVisible())
      await page.getByRole("button", { name: /^Choose all/ }).click();
    await page.getByRole("button", { name: "Reassign…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Owner").selectOption({ label: "Bulk" });
    await dialog.getByText(`${wanted} match now`).waitFor();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "certificates-bulk-dialog");
    await dialog.getByRole("button", { name: `Reassign ${wanted} certificates` }).click();
    await page.waitForURL(/\/operations\/op-/);
    const id = page.url().split("/").at(-1);
    await expect
      .poll(async () => (await system.rest("GET", `/api/v1/operations/${id}`)).body.status)
      .toBe("Completed");
    expect(await totalOf(`owner_ids=${owner.id}`)).toBe(wanted);
    await page.goBack();
    await view.settle();
    expect(await totalOf(`owner_ids=${owner.id}`)).toBe(wanted);
    expect(view.problems).toEqual([]);
  });

  test("exports exactly what is filtered, and no formula", async () => {
    const { page } = view;
    await view.goto("/certificates?q=fleet");
    await page.getByRole("button", { name: "More" }).click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /as CSV/ }).click(),
    ]);
    const lines = (await readFile(await file.path(), "utf8")).trim().split("\r\n");
    expect(lines.length - 1).toBe(await totalOf("q=fleet"));
    expect(lines.some((line) => line.includes("'=fleet-formula"))).toBe(true);
    expect(lines.some((line) => /(^|,)"?=fleet-formula/.test(line))).toBe(false);
  });

  test("keeps a view, pins it with its count, and opens with the default", async () => {
    const { page } = view;
    await view.goto("/certificates?environment=staging");
    await page.getByRole("button", { name: "Views" }).click();
    await page.getByRole("menuitem", { name: "Save this view…" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Staging only");
    await page.getByLabel("What the list opens with").check();
    await page.getByRole("button", { name: "Save the view" }).click();
    const pinned = page
      .getByRole("list", { name: "Pinned views" })
      .getByRole("button", { name: /Staging only/ });
    await pinned.waitFor();
    expect(await pinned.textContent()).toContain(String(await totalOf("environments=staging")));
    await view.goto("/certificates");
    await page.waitForURL(/environment=staging/);
    const { body } = await system.rest("GET", "/api/v1/saved-views");
    for (const { id } of body.data) await system.rest("DELETE", `/api/v1/saved-views/${id}`);
    expect(view.problems).toEqual([]);
  });
});

describe("a certificate", () => {
  test("is rolled back to an older version, which the nginx then truly serves", async () => {
    const { page } = view;
    const { system: plane, certificateId } = staged;
    for (const _ of [1, 2]) {
      const job = await plane.renew(certificateId);
      expect(job.outcome).toBe("Proven");
    }
    const { body } = await plane.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
    const [newer, older] = body.data;
    expect(await servedFingerprint()).toBe(newer.fingerprint_sha256);
    await view.goto(`/certificates/${certificateId}/versions`);
    await page
      .getByRole("row", { name: new RegExp(`v${older.number}\\b`) })
      .getByRole("button", { name: "Roll back to it…" })
      .click();
    await page.getByRole("dialog").getByText(`expires in`).waitFor();
    await screenshot(page, "certificate-rollback-dialog");
    await page.getByRole("button", { name: "Roll 1 target back" }).click();
    await expect.poll(servedFingerprint).toBe(older.fingerprint_sha256);
    await view.goto(`/certificates/${certificateId}/targets`);
    const served = page.getByRole("table", { name: "Targets" });
    await served.getByText("Proven").locator("visible=true").waitFor();
    expect(await served.locator("tbody").textContent()).toContain(`v${older.number}`);
    expect(view.problems).toEqual([]);
  });

  test("shows what two versions have different, and hands out the chain without a key", async () => {
    const { page } = view;
    const { certificateId } = staged;
    const { body } = await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
    const [newer, older] = body.data;
    await view.goto(`/certificates/${certificateId}/versions/${older.id}?compare=${newer.id}`);
    await page.getByRole("row", { name: /Serial differs/ }).waitFor();
    expect(await page.getByRole("row", { name: /^Subject CN=/ }).count()).toBe(1);
    await page.getByRole("main").getByRole("button", { name: "Download" }).last().click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /Full chain, leaf first/ }).click(),
    ]);
    const pem = await readFile(await file.path(), "utf8");
    expect(pem).toContain("-----BEGIN CERTIFICATE-----");
    expect(pem).not.toContain("KEY");
    expect(view.problems).toEqual([]);
  });

  test("is found and renewed with the keyboard alone", async () => {
    const { page } = view;
    const { certificateId } = staged;
    const before = await servedFingerprint();
    await view.goto("/");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.type("web");
    await page.getByRole("option", { name: /^web web/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(`/certificates/${certificateId}$`));
    await page.getByRole("heading", { name: "web", level: 1 }).waitFor();
    await view.settle();
    await page.keyboard.press("r");
    await expect.poll(servedFingerprint).not.toBe(before);
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.waitForURL(/\/certificates$/);
    await view.settle();
    await page.keyboard.press("/");
    await page.keyboard.type("fleet-02");
    await page.waitForURL(/q=fleet-02/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText(/\d+ chosen/).waitFor();
    expect(view.problems).toEqual([]);
  });
});
