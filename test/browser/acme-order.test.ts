import { afterAll, beforeAll, expect, test } from "vitest";
import { type AcmeStage, openAcmeStage } from "../acme-stage.ts";
import { type Pebble, startPebble } from "../pebble.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** An order that the CA refuses, as its job's page shows it, and the one that follows once the name is mended. */

const parts = new AsyncDisposableStack();
const name = "shop.orders.test";
let browser: Browser;
let stage: AcmeStage;
let pebble: Pebble;
let view: View;
let jobId: string;
let issuerId: string;

beforeAll(async () => {
  browser = parts.use(await openBrowser());
  stage = parts.use(await openAcmeStage());
  pebble = parts.use(await startPebble({ version: "2.6", httpPort: stage.pkiPort }));
  await setNames("set-default-ipv4", { ip: "" });
  view = parts.use(await browser.open(stage.system));
  issuerId = await stage.issuer(pebble);
  const id = await stage.certificate(issuerId, [name]);
  const { body } = await stage.system.rest("POST", `/api/v1/certificates/${id}/renew`, {});
  jobId = body.job_id;
  await stage.system.job(jobId, ({ error }) => error !== null);
}, 120_000);
afterAll(() => parts.disposeAsync());

/** Changes what Pebble's name server says. */
async function setNames(what: string, body: unknown): Promise<void> {
  const answer = await fetch(`${pebble.namesUrl}/${what}`, { method: "POST", body: JSON.stringify(body) });
  expect(answer.status, what).toBe(200);
}

const ordersOf = async () =>
  (await stage.system.rest("GET", `/api/v1/issuers/${issuerId}/orders?job_id=${jobId}`)).body.data;
const panel = () => view.page.getByRole("region", { name: "Order", exact: true });

test("the API keeps the failed challenge with the CA's problem document", async () => {
  const [order] = await ordersOf();
  expect(order).toMatchObject({
    job_id: jobId,
    placed: [{ status: "invalid", closed: true, authorizations: [{ identifier: name, status: "invalid" }] }],
  });
  const failed = order.placed[0].authorizations[0].challenges.filter(
    ({ problem }: { problem: unknown }) => problem !== null,
  );
  expect(failed).toMatchObject([
    {
      ...{ type: "http-01", status: "invalid", looked_at: `http://${name}/.well-known/acme-challenge/` },
      problem: { type: "connection", detail: expect.stringContaining(`http://${name}:`), status: 400 },
    },
  ]);
  const { body } = await stage.system.rest("GET", `/api/v1/issuers/${issuerId}/orders`);
  expect(body.data).toEqual([]);
});

test.each(["dark", "light"] as const)("the page of the job shows it, in %s", async (theme) => {
  await using themed = await browser.open(stage.system, { theme });
  const { page } = themed;
  await themed.goto(`/jobs/${jobId}`);
  const order = page.getByRole("region", { name: "Order", exact: true });
  const challenge = order.getByRole("region", { name: `http-01 for ${name}` });
  await challenge.getByText(`http://${name}/.well-known/acme-challenge/`).waitFor();
  const [{ placed }] = await ordersOf();
  const { detail } = placed[0].authorizations[0].challenges.find(
    ({ problem }: { problem: unknown }) => problem !== null,
  ).problem;
  await challenge.getByText(detail).waitFor();
  // Nothing is done until the next attempt.
  expect(await page.getByText("under way").count()).toBe(0);
  await challenge.getByText("The CA could not connect: look at the name's addresses").waitFor();
  await expectFine(themed, `a job whose order failed, ${theme}`);
  await screenshot(page, `job-order-failed-${theme}`);
});

test("fits a telephone", async () => {
  await using small = await browser.open(stage.system, { width: 390 });
  await small.goto(`/jobs/${jobId}`);
  await small.page.getByRole("region", { name: `http-01 for ${name}` }).waitFor();
  await expectFine(small, "a job whose order failed, 390 px");
});

test("a job whose issuer keeps no orders shows none", async () => {
  const { body } = await stage.system.rest("GET", "/api/v1/issuers?kind=local-ca");
  const id = await stage.certificate(body.data[0].id, ["plain.orders.test"]);
  const job = await stage.system.renew(id);
  await view.goto(`/jobs/${job.id}`);
  expect(await panel().count()).toBe(0);
});

test("the retry succeeds once the name leads somewhere, and the page follows it", async () => {
  const { page } = view;
  const dialog = page.getByRole("dialog");
  await view.goto(`/jobs/${jobId}`);
  await panel().getByText("invalid").first().waitFor();
  await setNames("add-a", { host: name, addresses: ["127.0.0.1"] });
  await page.getByRole("button", { name: "Cancel job" }).click();
  await dialog.getByRole("button", { name: "Cancel 1 job" }).click();
  await page.getByRole("button", { name: "Retry" }).click();
  await stage.system.job(jobId, ({ outcome }) => outcome === "Proven");
  await panel().getByText("1 order before").waitFor();
  await expect
    .poll(() => panel().getByRole("list", { name: "Names" }).first().textContent())
    .toMatch(/valid$/);
  await expect.poll(() => panel().getByText("valid", { exact: true }).count()).toBe(2);
  await panel().getByText("1 order before").click();
  await panel()
    .getByRole("region", { name: `http-01 for ${name}` })
    .waitFor();
  await expectFine(view, "a job whose order was signed");
  await screenshot(page, "job-order-signed");
  expect((await ordersOf()).map(({ placed }: { placed: { status: string }[] }) => placed[0]?.status)).toEqual(
    ["invalid", "valid"],
  );
});
