import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import type { ServerCommands } from "../src/issuers/commands.ts";
import { serverCommands } from "../src/server-commands/server-commands.ts";
import { startAwsPrivateCa } from "./fakes/aws-private-ca.ts";
import { startDigicert } from "./fakes/digicert.ts";
import { startEjbca } from "./fakes/ejbca.ts";
import type { FakeServer } from "./fakes/fake-server.ts";
import { startGoogleCas } from "./fakes/google-cas.ts";
import { startSectigo } from "./fakes/sectigo.ts";
import { startStepCa } from "./fakes/step-ca.ts";
import { startVault } from "./fakes/vault.ts";
import { makeScriptCa } from "./script-ca.ts";
import { temporaryDirectory } from "./site.ts";

/** A CA to try a kind of issuer on. */
export interface IssuerStage extends AsyncDisposable {
  /** With which it signs. */
  config: JsonObject;
  /** With credentials that it does not take; null: there are none. */
  wrong: JsonObject | null;
  commands?: ServerCommands;
  /** Where it is a fake whose API lets an order be found again whose answer was lost. */
  finds?: { server: FakeServer; orders(): number };
  /** When it signs, where that is not `stageTime`. */
  now?: Date;
}

/** When certificates are asked for: fakes sign with dates around it. */
export const stageTime = new Date("2030-06-01T12:00:00Z");
const clock = () => stageTime;

/** By kind. */
export const issuerStages: Readonly<Record<string, () => Promise<IssuerStage>>> = {
  async script() {
    const directory = await temporaryDirectory();
    const { file } = await makeScriptCa(directory.path, join(directory.path, "server.yaml"));
    return {
      config: { command: "sign", revoke_command: "revoke" },
      wrong: null,
      now: new Date(),
      commands: serverCommands(file),
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    };
  },

  async vault() {
    const vault = await startVault(clock);
    const config = { address: vault.server.url, ca: vault.server.ca, role: "web" };
    return {
      config: { ...config, auth: { method: "token", token: "hvs.right" } },
      wrong: { ...config, auth: { method: "token", token: "hvs.wrong-secret" } },
      [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
    };
  },

  async "step-ca"() {
    // TLS is verified by the machine's clock, and its certificate comes from its own root.
    const now = new Date();
    const step = await startStepCa(() => now);
    const config = {
      url: step.server.url,
      root_fingerprint: step.fingerprint,
      provisioner: step.provisioner.name,
    };
    return {
      config: { ...config, key: { from: "password", password: step.provisioner.password } },
      wrong: { ...config, key: { from: "password", password: "another-secret" } },
      now,
      [Symbol.asyncDispose]: () => step[Symbol.asyncDispose](),
    };
  },

  async ejbca() {
    const ejbca = await startEjbca(clock);
    const config = {
      url: `${ejbca.server.url}/ejbca/ejbca-rest-api`,
      ca: ejbca.server.ca,
      certificate_authority: ejbca.authority,
      certificate_profile: ejbca.certificateProfile,
      end_entity_profile: ejbca.endEntityProfile,
    };
    return {
      config: { ...config, auth: { method: "bearer", token: ejbca.token } },
      wrong: { ...config, auth: { method: "bearer", token: "another-secret" } },
      [Symbol.asyncDispose]: () => ejbca[Symbol.asyncDispose](),
    };
  },

  async "aws-private-ca"() {
    const aws = await startAwsPrivateCa(clock);
    const config = {
      region: aws.region,
      certificate_authority_arn: aws.caArn,
      access_key_id: aws.accessKeyId,
      secret_access_key: aws.secretAccessKey,
      endpoint: aws.server.url,
      ca: aws.server.ca,
    };
    return {
      config,
      wrong: { ...config, secret_access_key: "another-secret" },
      finds: { server: aws.server, orders: () => aws.issued.length },
      [Symbol.asyncDispose]: () => aws[Symbol.asyncDispose](),
    };
  },

  async digicert() {
    const digicert = await startDigicert(clock);
    const config = {
      api_key: digicert.apiKey,
      product: "ssl_basic",
      organization_id: 112_233,
      url: `${digicert.server.url}/services/v2`,
      ca: digicert.server.ca,
    };
    return {
      config,
      wrong: { ...config, api_key: "another-secret" },
      finds: { server: digicert.server, orders: () => digicert.orders.length },
      [Symbol.asyncDispose]: () => digicert[Symbol.asyncDispose](),
    };
  },

  async "google-cas"() {
    const google = await startGoogleCas(clock);
    const config = {
      project: "acme-pki",
      location: "europe-west1",
      ca_pool: "servers",
      service_account_key: google.keyFile,
      url: google.server.url,
      token_url: `${google.server.url}/token`,
      ca: google.server.ca,
    };
    const other = { ...JSON.parse(google.keyFile), client_email: "someone@else.example" };
    return {
      config,
      wrong: { ...config, service_account_key: JSON.stringify(other) },
      finds: { server: google.server, orders: () => google.issued.length },
      [Symbol.asyncDispose]: () => google[Symbol.asyncDispose](),
    };
  },

  async sectigo() {
    const sectigo = await startSectigo(clock);
    const config = {
      customer_uri: sectigo.customerUri,
      login: sectigo.login,
      password: sectigo.password,
      organization_id: sectigo.organization,
      certificate_profile_id: sectigo.profile.id,
      url: `${sectigo.server.url}/api`,
      ca: sectigo.server.ca,
    };
    return {
      config,
      wrong: { ...config, password: "another-secret" },
      finds: { server: sectigo.server, orders: () => sectigo.certificates.length },
      [Symbol.asyncDispose]: () => sectigo[Symbol.asyncDispose](),
    };
  },
};
