import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAwsPrivateCa } from "../fakes/aws-private-ca.ts";
import { startDigicert } from "../fakes/digicert.ts";
import type { FakeServer } from "../fakes/fake-server.ts";
import { startSectigo } from "../fakes/sectigo.ts";
import { type StagedSystem, stageSystem } from "../stage-system.ts";
import type { System } from "../system.ts";
import { type Browser, openBrowser, type View } from "./browser.ts";
import { expectFine, screenshot } from "./look.ts";

/** CAs that are ordered from: created by their forms, their certificates proven by a real server. */

const parts = new AsyncDisposableStack();
const clock = () => new Date();
let staged: StagedSystem;
let system: System;
let view: View;

beforeAll(async () => {
  const browser: Browser = parts.use(await openBrowser());
  staged = parts.use(await stageSystem({ env: { CERTCTL_EGRESS_ALLOW: "127.0.0.0/8, ::1/128" } }));
  system = staged.system;
  view = parts.use(await browser.open(system));
}, 120_000);
afterAll(() => parts.disposeAsync());

const dialog = () => view.page.getByRole("dialog");
const read = async (path: string) => (await system.rest("GET", `/api/v1/${path}`)).body;

/** Fills the form of a kind, has it tested, and creates the issuer; what the test said. */
async function create(
  { kind, title }: { kind: string; title: string },
  fields: Record<string, string>,
  { ca }: FakeServer,
): Promise<string> {
  await view.goto("/issuers?new=true");
  await dialog().getByLabel("Kind").selectOption({ label: title });
  await dialog().getByLabel("Name", { exact: true }).fill(title);
  for (const [label, value] of Object.entries(fields)) await dialog().getByLabel(label).fill(value);
  await dialog().getByLabel("CA optional", { exact: true }).fill(ca);
  await dialog().getByRole("button", { name: "Test connection" }).click();
  const said = dialog().getByText(/^It works|^It does not work/);
  await said.first().waitFor();
  const words = (await said.first().locator("..").textContent()) ?? "";
  await expectFine(view, `the form of ${kind}`);
  await screenshot(view.page, `issuer-${kind}-form`);
  await dialog().getByRole("button", { name: "Create issuer" }).click();
  await view.page.getByRole("link", { name: title, exact: true }).waitFor();
  return words;
}

/** Has the web server's certificate signed by the issuer of a kind, and served; who signed it. */
async function proven(kind: string): Promise<string> {
  const [issuer] = (await read(`issuers?kind=${kind}`)).data;
  const { name, common_name, sans, target_ids } = await read(`certificates/${staged.certificateId}`);
  const wanted = { name, common_name, sans, target_ids, issuer_id: issuer.id };
  await system.rest("PUT", `/api/v1/certificates/${staged.certificateId}`, wanted);
  expect(await system.renew(staged.certificateId)).toMatchObject({ outcome: "Proven" });
  const { data } = await read(`certificates/${staged.certificateId}/versions`);
  return new X509Certificate(data[0].pem_chain).issuer;
}

test("AWS Private CA, which makes a certificate after it was ordered, and revokes it", async () => {
  await using aws = await startAwsPrivateCa(clock);
  const words = await create(
    { kind: "aws-private-ca", title: "AWS Private CA" },
    {
      Region: aws.region,
      "ARN of the CA": aws.caArn,
      "Access key id": aws.accessKeyId,
      "Secret access key": aws.secretAccessKey,
      Endpoint: aws.server.url,
    },
    aws.server,
  );
  expect(words).toMatch(/^It works: the EC_prime256v1 SUBORDINATE CA is active and signs until/);
  aws.pending = 1;
  expect(await proven("aws-private-ca")).toBe("CN=Fake Issuing CA");
  expect(aws.issued).toHaveLength(1);
  const path = `/api/v1/certificates/${staged.certificateId}/revoke`;
  // No renewal follows upon this reason.
  const asked = await system.rest("POST", path, { reason: "CessationOfOperation", force: true });
  expect(asked).toMatchObject({ status: 202 });
  await expect.poll(() => [...aws.revoked]).toContainEqual([aws.issued[0]?.serial, "CESSATION_OF_OPERATION"]);
});

test("DigiCert CertCentral", async () => {
  await using digicert = await startDigicert(clock);
  const words = await create(
    { kind: "digicert", title: "DigiCert CertCentral" },
    {
      "API key": digicert.apiKey,
      Product: "ssl_basic",
      Organization: "112233",
      "API optional": `${digicert.server.url}/services/v2`,
    },
    digicert.server,
  );
  expect(words).toBe("It works: certctl (Administrator) of account 4711 may order Basic OV");
  expect(await proven("digicert")).toBe("CN=Fake Issuing CA");
  expect(digicert.orders).toHaveLength(1);
});

test("Sectigo Certificate Manager, with the custom fields that the account demands", async () => {
  await using sectigo = await startSectigo(clock);
  sectigo.customFields = ["Cost centre"];
  const words = await create(
    { kind: "sectigo", title: "Sectigo Certificate Manager" },
    {
      "Customer URI": sectigo.customerUri,
      Login: sectigo.login,
      Password: sectigo.password,
      Organization: String(sectigo.organization),
      "Certificate profile": String(sectigo.profile.id),
      "Custom fields": '{"Cost centre": "4711"}',
      "API optional": `${sectigo.server.url}/api`,
    },
    sectigo.server,
  );
  expect(words).toBe("It works: profile Public SSL signs for 30, 46, 199 days in organization 103");
  expect(await proven("sectigo")).toBe("CN=Fake Issuing CA");
  expect(sectigo.last().request.customFields).toEqual([{ name: "Cost centre", value: "4711" }]);
});
