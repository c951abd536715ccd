import { afterAll, beforeAll, expect, test } from "vitest";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import type { System } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** The standby of an issuer, and the canary that shows that it works. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let staged: StagedSystem;
let system: System;
let view: View;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem());
  system = staged.system;
  await system.rest("POST", "/api/v1/issuers", {
    id: "iss-second",
    name: "Second CA",
    kind: "local-ca",
    config: {},
  });
  const { body: authorities } = await system.rest("GET", "/api/v1/authorities");
  const first = authorities.data.find((each: { issuer_id: string }) => each.issuer_id === "iss-local");
  const made = await system.rest("POST", "/api/v1/authorities", {
    name: "Second issuing CA",
    issuer_id: "iss-second",
    parent_id: first.parent_id,
  });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  await system.rest("POST", "/api/v1/certificates", {
    id: "mc-canary",
    name: "canary",
    common_name: "canary.example.test",
    issuer_id: "iss-second",
    agent_id: "ag-web",
  });
  view = parts.use(await browser.open(system));
}, 120_000);
afterAll(() => parts.disposeAsync());

test("a standby is named with its canary, which the standby then signs", async () => {
  const { page } = view;
  const dialog = page.getByRole("dialog");
  await view.goto("/issuers/iss-local");
  await page.getByText("None: renewals wait until this issuer answers again.").waitFor();
  await page.getByRole("button", { name: "Name a standby…" }).click();
  await dialog.getByLabel("Standby", { exact: true }).selectOption({ label: "Second CA" });
  await dialog.getByLabel("Asked after").fill("3");
  await dialog.getByLabel("Canary").selectOption({ label: "canary" });
  await dialog.getByLabel("Signed every").fill("5");
  await expectFine(view, "a standby's form");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("never; it is renewed with the next check").waitFor();
  const { body } = await system.rest("GET", "/api/v1/issuers/iss-local");
  expect(body).toMatchObject({
    standby_issuer_id: "iss-second",
    standby_after: 3,
    canary_certificate_id: "mc-canary",
    canary_every_days: 5,
  });
  await system.rest("POST", "/api/v1/scheduler/canaries/run", {});
  await expect
    .poll(async () => (await system.rest("GET", "/api/v1/issuers/iss-local")).body.canary_issued_at, {
      timeout: 20_000,
    })
    .not.toBeNull();
  await page.getByText("never; it is renewed with the next check").waitFor({ state: "detached" });
  await expectFine(view, "an issuer with a standby");
  await screenshot(page, "issuer-standby");
});
