import { spawnSync } from "node:child_process";
import { rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** A hand that changes what a server serves is seen, told of, and put right where that is wanted. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let staged: StagedSystem;
let view: View;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem());
  await staged.system.renew(staged.certificateId);
  view = parts.use(await browser.open(staged.system));
}, 120_000);
afterAll(() => parts.disposeAsync());

/** What somebody does who puts another file in place. */
async function changeByHand(): Promise<void> {
  const { site, reloadArgv } = staged.nginx;
  await symlink(join("versions", "placeholder"), join(site, "by-hand"));
  await rename(join(site, "by-hand"), join(site, "current"));
  const [program, ...args] = reloadArgv;
  expect(spawnSync(program, args).status).toBe(0);
}

async function lookNow(): Promise<void> {
  await view.page.getByRole("button", { name: "More actions" }).click();
  await view.page.getByRole("menuitem", { name: "Look at what the targets serve" }).click();
}

const state = (text: string) =>
  view.page
    .getByRole("region", { name: "Served against expected" })
    .getByText(text)
    .filter({ visible: true })
    .first()
    .waitFor();
const placeOf = async () => {
  const { body } = await staged.system.rest(
    "GET",
    `/api/v1/certificates/${staged.certificateId}/deployments`,
  );
  return body.data[0];
};

test("another certificate in its place is seen when the agent looks", async () => {
  await view.goto(`/certificates/${staged.certificateId}/targets`);
  await state("Proven");
  await changeByHand();
  await lookNow();
  await state("Serves another");
  expect(await placeOf()).toMatchObject({ proven: false, drifted_at: expect.any(String), healed_at: null });
  // The focus is back on the menu, whose name shows.
  await view.page.keyboard.press("Escape");
  await expectFine(view, "a target that drifted");
  await screenshot(view.page, "target-drifted");
  const { body } = await staged.system.rest("GET", "/api/v1/notifications?type=TargetDrifted");
  expect(body.data).toMatchObject([{ subject: expect.stringContaining("serves another certificate") }]);
});

test("a policy that is told to puts it right, and the server serves it again", async () => {
  const { page } = view;
  const dialog = page.getByRole("dialog");
  await view.goto("/policies/renewal");
  await page.getByRole("button", { name: "Default", exact: true }).click();
  await dialog.getByLabel("Put drift right by itself").check();
  await expectFine(view, "a renewal policy that heals");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("drift is put right").waitFor();

  await staged.system.rest("POST", `/api/v1/certificates/${staged.certificateId}/deploy`);
  await view.goto(`/certificates/${staged.certificateId}/targets`);
  await state("Proven");
  await changeByHand();
  await lookNow();
  await expect.poll(async () => (await placeOf()).healed_at).not.toBeNull();
  await expect.poll(placeOf).toMatchObject({ proven: true, drifted_at: null });
  await state("Proven");
  expect(view.problems).toEqual([]);
});
