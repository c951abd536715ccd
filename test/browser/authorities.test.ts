import { afterAll, beforeAll, expect, test } from "vitest";
import { openEnterprise } from "../authority-stage.ts";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { expectAnswers, expectFine, screenshot } from "./look.ts";

/** certctl's own CAs: the tree, making one under a root, rotating it, and one that an enterprise's root signs. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

const authorities = async () => (await system.rest("GET", "/api/v1/authorities?sort=name")).body.data;
const named = async (name: string) =>
  (await authorities()).find((authority: { name: string }) => authority.name === name);

test("a CA for one domain is made under the root, shown in the tree, and rotated", async () => {
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto("/issuers");
  await page.getByRole("link", { name: "Authorities" }).click();
  await view.settle();
  await page.getByRole("button", { name: "Create an authority" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("Corp CA");
  await dialog.getByLabel("Signs for").selectOption({ label: "Local CA" });
  await dialog.getByLabel("Signed by").selectOption({ label: "certctl issuing root" });
  await dialog.getByLabel("Only for these names").fill("not a domain!");
  await dialog.getByRole("button", { name: "Create authority" }).click();
  await dialog.getByText("is not a DNS name").first().waitFor();
  await dialog.getByLabel("Only for these names").fill("corp.example\n10.1.0.0/16");
  await screenshot(page, "authority-form");
  await dialog.getByRole("button", { name: "Create authority" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Corp CA" }).click();
  await view.settle();
  await page.getByText("corp.example, 10.1.0.0/16").waitFor();
  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("button", { name: "Make its successor" }).click();
  await expect.poll(() => named("Corp CA 2")).toMatchObject({ state: "Active", issuer_id: "iss-local" });
  await expect.poll(async () => (await named("Corp CA")).state).toBe("Retired");
  await page.getByText("Retired").first().waitFor();
  await view.goto("/authorities");
  await view.settle();
  // What was refused on the way.
  await expectAnswers(view, 400);
  await expectFine(view, "the tree of authorities");
  await screenshot(page, "authorities");
});

test("a CA whose CSR an enterprise's root signed signs once its certificate is installed", async () => {
  await using corp = await openEnterprise();
  const wanted = { name: "Under corp", issuer_id: "iss-local" };
  const { body } = await system.rest("POST", "/api/v1/authorities", wanted);
  const chain = (await corp.sign(body.csr_pem)) + (await corp.rootPem());
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto(`/authorities/${body.id}`);
  await page.getByText("Waits for its certificate").waitFor();
  await page.getByRole("button", { name: "Install certificate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Certificate" }).fill(await corp.rootPem());
  await dialog.getByRole("button", { name: "Install" }).click();
  await dialog.getByText("is a root").first().waitFor();
  await dialog.getByRole("textbox", { name: "Certificate" }).fill(chain);
  await dialog.getByRole("button", { name: "Install" }).click();
  await dialog.waitFor({ state: "detached" });
  await expect.poll(() => named("Under corp")).toMatchObject({ state: "Active", csr_pem: "" });
  await view.settle();
  // What was refused on the way.
  await expectAnswers(view, 400);
  await expectFine(view, "an authority");
  await screenshot(page, "authority");
});
