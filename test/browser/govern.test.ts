import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { violations } from "./look.ts";

/** Rules, renewal policies, owners and teams, made and changed by their forms. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;

const api = async (method: string, path: string, body?: unknown) => {
  const answer = await system.rest(method, `/api/v1/${path}`, body);
  if (answer.status >= 300)
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
  for (const [name, days] of [
    ["short", 30],
    ["long", 90],
    ["longer", 200],
  ] as const)
    await api("POST", "certificates", {
      name,
      common_name: `${name}.example.test`,
      validity_seconds: days * 86_400,
    });
});
afterAll(() => parts.disposeAsync());

async function open(path: string, apiKey?: string): Promise<View> {
  const view = await browser.open(system, apiKey ? { apiKey } : {});
  await view.goto(path);
  return view;
}

describe("a policy rule", () => {
  test("is tried on the inventory before it is saved, and shows what breaks it after", async () => {
    await using view = await open("/policies");
    const { page } = view;
    await page.getByRole("button", { name: "Create a rule" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("At most 60 days");
    await dialog
      .getByLabel("What it asks for")
      .selectOption({ label: "Certificates last so many days at most" });
    await dialog.getByLabel("Max days").fill("60");
    await dialog.getByLabel("Severity").selectOption({ label: "Warning" });
    await dialog.getByRole("button", { name: "Try on the inventory" }).click();
    const dryRun = await api("POST", "policies/dry-run", {
      type: "CertificateLifetime",
      config: { max_days: 60 },
    });
    await dialog
      .getByText(`${dryRun.violating} of ${dryRun.checked} certificates would violate it`)
      .waitFor();
    expect(await violations(page)).toEqual([]);
    expect((await api("GET", "policies")).total).toBe(0);
    await dialog.getByRole("button", { name: "Create rule" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("Certificates last 60 days at most").waitFor();
    await page.getByRole("link", { name: "At most 60 days" }).click();
    for (const name of ["long", "longer"])
      await page
        .getByRole("table", { name: "Violations" })
        .getByRole("link", { name, exact: true })
        .waitFor();
    expect((await api("GET", "policies/violations?open=true")).total).toBe(dryRun.violating);
    expect(view.problems).toEqual([]);
  });

  test("is refused at the field that is wrong", async () => {
    await using view = await open("/policies");
    const { page } = view;
    await page.getByRole("button", { name: "Create a rule" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Nowhere");
    await dialog.getByLabel("What it asks for").selectOption({ label: "Names lie in these domains" });
    await dialog.getByLabel("Allowed domains").fill("not a domain!");
    await dialog.getByRole("button", { name: "Create rule" }).click();
    await expect.poll(() => dialog.locator("[aria-invalid=true]").count()).toBe(1);
  });

  test("is not made by those who may not, and the button says why", async () => {
    const { api_key: key } = await api("POST", "api-keys", { name: "reader", role: "viewer" });
    await using view = await open("/policies", key);
    const button = view.page.getByRole("button", { name: "Create a rule" }).first();
    expect(await button.getAttribute("aria-disabled")).toBe("true");
    expect(await button.getAttribute("aria-description")).toContain("policies:write");
  });
});

test("a renewal policy is made with whom it tells, and changed", async () => {
  await api("POST", "notifiers", {
    id: "nf-pager",
    name: "Pager",
    kind: "webhook",
    config: { url: "https://localhost:9/hook", secret: "0123456789abcdef" },
  });
  await using view = await open("/policies/renewal");
  const { page } = view;
  await page.getByRole("button", { name: "Create a renewal policy" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Careful");
  await dialog.getByLabel("Alerts, in days before the end").fill("20, 5");
  await dialog.getByRole("button", { name: "Tell a channel" }).click();
  await dialog.getByLabel("Told of these alerts").fill("5");
  await dialog.getByLabel("Renewal failed").check();
  await dialog.getByRole("button", { name: "Create renewal policy" }).click();
  await dialog.waitFor({ state: "detached" });
  const [made] = (await api("GET", "renewal-policies?q=careful")).data;
  expect(made).toMatchObject({
    alert_thresholds_days: [20, 5],
    channels: [{ notifier_id: "nf-pager", thresholds_days: [5], events: ["RenewalFailed"] }],
  });
  await page.getByRole("button", { name: "Careful", exact: true }).click();
  await dialog.getByLabel("Renew by itself").uncheck();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("Renewed by hand alone; tried 5 times").waitFor();
  expect(await api("GET", `renewal-policies/${made.id}`)).toMatchObject({
    auto_renew: false,
    channels: made.channels,
  });
  expect(view.problems).toEqual([]);
});

describe("owners and teams", () => {
  test("are made by their forms, and certificates are given to them by an operation", async () => {
    await using view = await open("/owners/teams");
    const { page } = view;
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "Create a team" }).first().click();
    await dialog.getByLabel("Name").fill("Payments");
    await dialog.getByRole("button", { name: "Create team" }).click();
    await page.getByRole("link", { name: "Payments" }).click();
    await page.getByRole("button", { name: "Create an owner" }).click();
    await dialog.getByLabel("Name").fill("Dana");
    await dialog.getByLabel("E-mail").fill("dana@example.test");
    await dialog.getByRole("button", { name: "Create owner" }).click();
    await page
      .getByRole("table", { name: "Owners of the team" })
      .getByRole("link", { name: "Dana" })
      .waitFor();
    const [team] = (await api("GET", "teams?q=payments")).data;
    const [owner] = (await api("GET", "owners?q=dana")).data;
    expect(owner).toMatchObject({ team_id: team.id, email: "dana@example.test" });

    await api("POST", "certificates", { name: "paid", common_name: "paid.example.test", owner_id: owner.id });
    await api("POST", "owners", { id: "o-emil", name: "Emil", email: "emil@example.test" });
    await view.goto(`/owners/${owner.id}`);
    await page.getByRole("button", { name: "Reassign 1 certificate" }).click();
    await dialog.getByLabel("Owner").selectOption({ label: "Emil" });
    await dialog.getByRole("button", { name: "Reassign 1 certificate" }).click();
    await page.waitForURL(/\/operations\/op-/);
    await expect
      .poll(async () => (await api("GET", "certificates?owner_id=o-emil")).total, { timeout: 10_000 })
      .toBe(1);
    await view.goto(`/owners/${owner.id}`);
    expect(
      await page.getByRole("button", { name: "Reassign 0 certificates" }).getAttribute("aria-disabled"),
    ).toBe("true");
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Archive" }).click();
    await dialog.getByRole("button", { name: "Archive 1 owner" }).click();
    await dialog.waitFor({ state: "detached" });
    expect((await api("GET", `owners/${owner.id}`)).archived_at).not.toBeNull();
    expect(view.problems).toEqual([]);
  });
});
