import type { KeyObject } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { authorityPem } from "../../src/authorities/authority.ts";
import { type System, startSystem } from "../system.ts";
import { certificatePem, makeLeaf, makeTrees } from "../trees.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { expectAnswers, expectFine, screenshot } from "./look.ts";

/** A certificate that a CA signed and the database does not know of is brought back and revoked. */

const parts = new AsyncDisposableStack();
let browser: Browser;
let system: System;
beforeAll(async () => {
  browser = parts.use(await openBrowser());
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

test("a certificate that nobody knows of is recovered on its CA's page, and revoked there", async () => {
  const trees = makeTrees();
  const ca = trees["issuing-ca"];
  const key = (ca.key as KeyObject).export({ type: "pkcs8", format: "pem" }).toString();
  const chain = authorityPem(ca) + authorityPem(trees["issuing-root"]);
  const wanted = { name: "Ours", issuer_id: "iss-local", certificate_pem: chain, private_key_pem: key };
  const { body } = await system.rest("POST", "/api/v1/authorities/import", wanted);
  await using view = await browser.open(system);
  const { page } = view;
  await view.goto(`/authorities/${body.id}`);
  await page.getByText("After a restore from an older backup").waitFor();
  await page.getByRole("button", { name: "Recover a certificate" }).click();
  const dialog = page.getByRole("dialog");
  const pem = dialog.getByRole("textbox", { name: "Certificate" });
  await pem.fill(certificatePem(makeLeaf(makeTrees()["issuing-ca"])));
  await dialog.getByRole("button", { name: "Recover" }).click();
  await dialog.getByText("was signed by none of certctl's CAs", { exact: false }).waitFor();
  await pem.fill(certificatePem(makeLeaf(ca, { sans: ["lost.example.test"] })));
  await screenshot(page, "certificate-recover");
  await dialog.getByRole("button", { name: "Recover" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("cell", { name: "lost.example.test" }).waitFor();
  await page.getByRole("button", { name: "Revoke…" }).click();
  await dialog.getByLabel("Reason").selectOption({ label: "Key compromise" });
  await expectAnswers(view, 400);
  await expectFine(view, "a recovered certificate to revoke");
  await screenshot(page, "certificate-recovered-revoke");
  await dialog.getByRole("button", { name: "Revoke 1 certificate" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("Key compromise,").waitFor();
  const { data } = (await system.rest("GET", "/api/v1/recovered-certificates")).body;
  expect(data).toMatchObject([{ authority_id: body.id, revocation_reason: "KeyCompromise" }]);
  await expectFine(view, "a CA with a recovered certificate");
  await screenshot(page, "authority-recovered");
});
