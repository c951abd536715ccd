import { afterAll, beforeAll, expect, test } from "vitest";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import type { System } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectAnswers, expectFine, screenshot } from "./look.ts";

/** Versions are revoked from the page of their certificate, and from the list for many. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let staged: StagedSystem;
let system: System;
let view: View;
let id: string;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem());
  system = staged.system;
  id = staged.certificateId;
  for (let round = 0; round < 2; round += 1) await system.renew(id);
  view = parts.use(await browser.open(system));
}, 120_000);
afterAll(() => parts.disposeAsync());

const dialog = () => view.page.getByRole("dialog");
const told = (text: string) => view.page.getByText(text).filter({ visible: true }).first().waitFor();
const versions = async () => (await system.rest("GET", `/api/v1/certificates/${id}/versions`)).body.data;

test("a version that is in use is not revoked, and its dialog says who serves it", async () => {
  const { page } = view;
  await view.goto(`/certificates/${id}/versions`);
  await page.getByRole("button", { name: "Revoke…" }).first().click();
  await dialog().getByText("web serves it still", { exact: false }).waitFor();
  await dialog().getByRole("button", { name: "Revoke 1 version" }).click();
  await dialog().getByText("is in use still", { exact: false }).waitFor();
  await expectAnswers(view, 409);
  await expectFine(view, "a revocation that is refused");
  await screenshot(page, "revocation-refused");
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("a version that was replaced is revoked by its issuer, and shown so", async () => {
  const { page } = view;
  await page.getByRole("button", { name: "Revoke…" }).nth(1).click();
  await dialog().getByText("No target was seen to serve it", { exact: false }).waitFor();
  await dialog().getByRole("button", { name: "Revoke 1 version" }).click();
  await told("Revoked: superseded");
  await expectFine(view, "a revoked version");
  await screenshot(page, "version-revoked");
  const [current, earlier] = await versions();
  expect(earlier).toMatchObject({ revocation_reason: "Superseded" });
  expect(current.revoked_at).toBeNull();
});

test("a compromised key has all revoked and its certificate replaced at once", async () => {
  const { page } = view;
  await view.goto(`/certificates/${id}`);
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Revoke…" }).click();
  await dialog().getByLabel("Reason").selectOption({ label: "Key compromise" });
  await dialog().getByText("The key is blocked for good", { exact: false }).waitFor();
  await dialog()
    .getByRole("button", { name: /^Revoke 1 version/ })
    .click();
  await told("Revoked");
  await expectFine(view, "a revoked certificate");
  await screenshot(page, "certificate-revoked");
  await expect.poll(async () => (await versions()).length, { timeout: 20_000 }).toBe(3);
});

test("many are revoked as one operation, which counts first what it would refuse", async () => {
  const { page } = view;
  const [{ id: revoked }] = await versions();
  await view.goto("/certificates");
  await page.getByRole("checkbox", { name: "Choose every row of this page" }).check();
  await page.getByRole("button", { name: "Revoke…" }).click();
  await dialog().getByText("1 of them are in use and will be refused", { exact: false }).waitFor();
  await dialog().getByLabel("Revoke also what is in use").check();
  await dialog().getByText("match now", { exact: false }).waitFor();
  await expectFine(view, "a revocation of many");
  await dialog().getByRole("button", { name: "Revoke 1 certificate" }).click();
  await told("Completed");
  // Its replacement may stand first already.
  const reason = async () =>
    (await versions()).find((version: { id: string }) => version.id === revoked).revocation_reason;
  await expect.poll(reason, { timeout: 20_000 }).toBe("Superseded");
});
