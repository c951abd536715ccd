import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** The views of the whole estate show the API's numbers, and act on exactly what they count. */

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
  parts.use(await system.startAgent("ag-keys"));
  await api("POST", "teams", { id: "t-web", name: "Web" });
  await api("POST", "teams", { id: "t-data", name: "Data" });
  await api("POST", "owners", { id: "o-ann", name: "Ann", email: "ann@example.test", team_id: "t-web" });
  const declared = {
    shop: { agent_id: "ag-keys", owner_id: "o-ann", environment: "production" },
    blog: { agent_id: "ag-keys", team_id: "t-web" },
    lake: { agent_id: "ag-keys", team_id: "t-data", validity_seconds: 90 * 86_400 },
    idle: {},
  };
  for (const [name, more] of Object.entries(declared))
    await api("POST", "certificates", {
      id: `mc-${name}`,
      name,
      common_name: `${name}.example.test`,
      ...more,
    });
  for (const name of ["shop", "blog", "lake"]) await system.renew(`mc-${name}`);
});
afterAll(() => parts.disposeAsync());

async function open(path: string): Promise<View> {
  const view = await browser.open(system);
  await view.goto(path);
  return view;
}

describe("the overview", () => {
  test("shows the API's numbers, each a link to the list of what it counts", async () => {
    await using view = await open("/");
    const { page } = view;
    const summary = await api("GET", "stats/summary");
    const facets = await api("GET", "certificates/facets");
    const section = page.getByRole("region", { name: "Needs attention" });
    const shown = await section.getByRole("link").allInnerTexts();
    const numberOf = (label: string) =>
      Number(
        shown
          .find((text) => text.includes(label))
          ?.split("\n")[0]
          ?.replaceAll(",", ""),
      );
    expect(numberOf("unread alerts")).toBe(summary.unread_notifications);
    expect(numberOf("targets drifted")).toBe(summary.targets_drifted);
    expect(numberOf("failed or expired")).toBe(0);
    const active = facets.status.find(({ value }: { value: string }) => value === "Active").count;
    await page.getByRole("link", { name: `${active} active` }).click();
    await page.waitForURL((url) => url.search === "?status=Active");
    await expect.poll(() => page.getByRole("table").getByRole("row").count()).toBe(active + 1);
    expect(view.problems).toEqual([]);
  });

  test("lists what is to be set up until it is, by what the control plane knows", async () => {
    await using view = await open("/");
    const { page } = view;
    const checklist = page.getByRole("region", { name: "Set up certctl" });
    await checklist.getByText("Done: Join an agent beside your server").waitFor();
    await checklist.getByText("To do: Name a place that it deploys to").waitFor();
    expect(await checklist.getByText(/^certctl targets create/).count()).toBe(1);
    await expectFine(view, "overview with its checklist");
    await screenshot(page, "overview-checklist");
  });
});

describe("the renewals", () => {
  const sentence = ({ page }: View) => page.getByRole("figure").locator("figcaption").textContent();
  const total = async (query: string) => (await api("GET", `renewals/forecast?${query}`)).renewals;

  test("recompute the forecast for another lifetime, a range and a grouping, all of them in the URL", async () => {
    await using view = await open("/renewals");
    const { page } = view;
    expect(await sentence(view)).toContain(`${await total("days=98")} renewals in 14 weeks`);
    await page.getByRole("radio", { name: "6 days" }).check();
    await expect.poll(() => sentence(view)).toContain("If every certificate lived 6 days");
    expect(await sentence(view)).toContain(`${await total("days=98&lifetime_days=6")} renewals in 14 weeks`);
    await page.getByRole("radio", { name: "2", exact: true }).check();
    await expect.poll(() => sentence(view)).toContain("in 2 weeks");
    await page.getByRole("radio", { name: "team" }).check();
    expect(new URL(page.url()).search).toBe("?whatif=6&range=2&group=team");
    const groups = page.getByRole("table", { name: "Renewals by team" });
    await groups.getByRole("link", { name: "Web" }).waitFor();
    await page.reload();
    await view.settle();
    expect(await sentence(view)).toContain("If every certificate lived 6 days");
    await page.goBack();
    await expect.poll(() => page.getByRole("table", { name: "Renewals by team" }).count()).toBe(0);
    expect(view.problems).toEqual([]);
  });

  test("tell each day by the keyboard, and all of them as a table", async () => {
    await using view = await open("/renewals");
    const { page } = view;
    const { days } = await api("GET", "renewals/forecast?days=98");
    const chart = page.getByRole("slider", { name: "Renewals on each of 98 days" });
    await chart.focus();
    await page.keyboard.press("End");
    expect(await chart.getAttribute("aria-valuetext")).toContain(`${days[97].date}: `);
    await page.keyboard.press("ArrowLeft");
    expect(await chart.getAttribute("aria-valuetext")).toContain(`${days[96].date}: `);
    await page.getByRole("button", { name: "Show as table" }).click();
    const rows = page.getByRole("region", { name: "The numbers" }).getByRole("row");
    expect(await rows.count()).toBe(99);
    const busiest = days.find(({ renewals }: { renewals: number }) => renewals > 0);
    await rows
      .filter({ hasText: busiest.date })
      .getByRole("cell", { name: String(busiest.renewals) })
      .first()
      .waitFor();
    await expectFine(view, "renewals as a table");
  });
});

describe("the trust map", () => {
  test("reissues exactly what a node counts, as an operation", async () => {
    await using view = await open("/map");
    const { page } = view;
    const map = await api("GET", "trust-map");
    const team = map.nodes.find(({ id }: { id: string }) => id === "team:t-web");
    await page.getByRole("button", { name: /^Web\b/ }).click();
    const looked = page.getByRole("region", { name: "What is looked at" });
    await looked.getByText(`${team.certificates} certificates`, { exact: false }).first().waitFor();
    await expectFine(view, "the map with a picked node");
    await screenshot(page, "map-picked");
    await looked.getByRole("button", { name: `Reissue ${team.certificates} certificates` }).click();
    const dialog = page.getByRole("dialog");
    const dryRun = await api("POST", "operations/dry-run", { kind: "Renew", filter: team.filter });
    expect(dryRun.total).toBe(team.certificates);
    await dialog.getByRole("button", { name: `Renew ${dryRun.total} certificates` }).click();
    await page.waitForURL(/\/operations\/op-/);
    const id = new URL(page.url()).pathname.split("/").at(-1);
    expect(await api("GET", `operations/${id}`)).toMatchObject({ kind: "Renew", total: team.certificates });
    expect(view.problems).toEqual([]);
  });

  test("leads to the list of exactly what a node counts, those without an owner, too", async () => {
    await using view = await open("/map?root=team:t-web");
    const { page } = view;
    await page.getByRole("button", { name: /^No owner\b/ }).click();
    const { nodes } = await api("GET", "trust-map?root=team:t-web");
    const { certificates } = nodes.find(({ id }: { id: string }) => id === "owner:");
    await page.getByRole("link", { name: `Show ${certificates} certificate` }).click();
    await expect.poll(() => new URL(page.url()).search).toBe("?team=t-web&owner=-");
    const rows = page.getByRole("table", { name: "Certificates" }).getByRole("row");
    await expect.poll(() => rows.count()).toBe(certificates + 1);
    await view.goto("/certificates?problems=1");
    await page.getByText("No certificate matches these filters").waitFor();
    expect(view.problems).toEqual([]);
  });

  test("keeps its focus in the URL, and says where nothing has a problem", async () => {
    await using view = await open("/map?root=team:t-data");
    const { page } = view;
    const looked = page.getByRole("region", { name: "What is looked at" });
    await looked.getByText("Team Data").waitFor();
    await page.getByRole("radio", { name: "with problems" }).check();
    await page.getByText("No certificate has a problem").waitFor();
    await page.getByRole("button", { name: "Show the whole map" }).last().click();
    await looked.getByText("The whole map").waitFor();
    await page.getByRole("button", { name: "Show as table" }).click();
    const { nodes } = await api("GET", "trust-map");
    const rows = page.getByRole("region", { name: "The numbers" }).getByRole("row");
    expect(await rows.count()).toBe(nodes.length + 1);
    expect(view.problems).toEqual([]);
  });
});
