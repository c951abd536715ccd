import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { probe } from "../../src/targets/probe.ts";
import { type Nginx, startNginx } from "../nginx.ts";
import { runProcess } from "../process.ts";
import { nginxEntry, type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** From nothing to a certificate that is served: only a browser, the command that it shows, and a real nginx. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
let nginx: Nginx;
let view: View;
let directory: string;
const name = "shop.example.test";

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
  directory = await mkdtemp(join(tmpdir(), "certctl-onboarding-"));
  parts.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  nginx = parts.use(await startNginx({ directory }));
  // What the host's owner allows, before anything of certctl runs there.
  const stateDir = join(directory, "data", "agent");
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const host = { allowed_directories: [directory], targets: { shop: nginxEntry(nginx) } };
  await writeFile(join(stateDir, "agent.yaml"), stringify(host), { mode: 0o600 });
  view = parts.use(await browser.open(system, { apiKey: null }));
});
afterAll(() => parts.disposeAsync());

/** The SHA-256 of what nginx serves at this moment. */
async function served(): Promise<string> {
  const seen = await probe(nginx.endpoint, {
    serverName: name,
    rootPem: null,
    signal: AbortSignal.timeout(10_000),
  });
  return seen.fingerprintSha256;
}

const certificate = async () => {
  const { body } = await system.rest("GET", `/api/v1/certificates?q=${name}`);
  return body.data[0];
};

test("a new user comes from the sign-in to a certificate that is proven on the wire", {
  timeout: 120_000,
}, async () => {
  const { page } = view;
  await page.goto(system.url);
  await page.getByLabel("API key").fill(system.adminKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Agents", exact: true }).click();
  await page.getByText("No agents yet").waitFor();

  await page.getByRole("button", { name: "Enrol an agent" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Shop's host");
  await page.getByText("It is known as ag-shop-s-host").waitFor();
  await page.getByRole("button", { name: "Create command" }).click();
  await page.getByText("Waiting for the agent…").waitFor();
  await view.settle();
  // The agent that is waited for is not found yet.
  await expect.poll(() => view.problems.splice(0).length).toBeGreaterThan(0);
  await screenshot(page, "enrol-waiting");
  const command = (await page.locator("dialog pre").first().textContent()) ?? "";
  parts.use(
    runProcess(["sh", "-c", command], { CERTCTL_DATA_DIR: join(directory, "data") }, { isGroup: true }),
  );
  await page.getByRole("heading", { name: "Shop's host is there" }).waitFor();
  await expectFine(view, "an agent that is there");
  await screenshot(page, "enrol-there");
  await page.getByRole("link", { name: "Show the agent" }).click();

  await page.getByRole("button", { name: "Create target" }).click();
  await page.getByRole("button", { name: "Test connection" }).click();
  await page.getByText("a deployment finds what it needs").waitFor();
  await expectFine(view, "a target's form");
  await screenshot(page, "target-form");
  await page.getByRole("dialog").getByRole("button", { name: "Create target" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });

  const placeholder = await served();
  await page.getByRole("link", { name: "Certificates", exact: true }).click();
  await page.getByRole("button", { name: "Issue a certificate" }).first().click();
  await page.getByLabel("Common name").fill(name);
  await page.getByLabel("shop (nginx)").check();
  await page.getByRole("button", { name: "Issue and deploy" }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  const journey = page.getByRole("region", { name: "Journey" });
  await journey.getByText("Proven", { exact: true }).waitFor();
  await view.settle();
  await expectFine(view, "a journey that is proven");
  await screenshot(page, "journey-proven");

  const fingerprint = await served();
  expect(fingerprint).not.toBe(placeholder);
  expect((await certificate()).fingerprint_sha256).toBe(fingerprint);
  expect(view.problems).toEqual([]);
});

test("a renewal is followed live: no reload, and nothing is asked for again and again", {
  timeout: 60_000,
}, async () => {
  const { page } = view;
  const before = await served();
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen, isSamePage: true });
    const look = () => {
      const stages = document.querySelectorAll("section ol[aria-label^='Stages'] li");
      const now = Array.from(stages, (stage) => stage.querySelector(".sr-only")?.textContent ?? "").join("");
      if (seen.at(-1) !== now) seen.push(now);
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  const requests: string[] = [];
  page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.getByRole("button", { name: "Renew now" }).click();
  await expect.poll(served).not.toBe(before);
  const journey = page.getByRole("region", { name: "Journey" });
  await expect.poll(async () => (await certificate()).fingerprint_sha256).toBe(await served());
  await journey.getByText("Proven", { exact: true }).waitFor();
  await page
    .getByText(`v2`)
    .first()
    .waitFor({ state: "attached" })
    .catch(() => {});
  const { seen, isSamePage } = await page.evaluate(() => {
    const marked = window as unknown as { seen: string[]; isSamePage: boolean };
    return { seen: marked.seen, isSamePage: marked.isSamePage };
  });
  expect(isSamePage).toBe(true);
  // It was seen under way, and in the end everything was done.
  expect(seen.some((states) => /Running|To come/.test(states))).toBe(true);
  expect(seen.at(-1)).not.toMatch(/Running|To come|Failed/);
  await view.settle();
  const renewals = requests.filter((request) => request.startsWith("POST"));
  expect(renewals).toEqual([`POST /api/v1/certificates/${(await certificate()).id}/renew`]);
  // What the last events brought about has come; from then on there is silence.
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  for (let busy = true; busy; busy = requests.splice(0).length > 0) await pause(1_500);
  await pause(3_000);
  expect(requests).toEqual([]);
  expect(view.problems).toEqual([]);
});
