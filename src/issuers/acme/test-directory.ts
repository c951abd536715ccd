import { IssuerError, type IssuerTools } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { connectAcme } from "./connection.ts";
import { issuerError } from "./problem.ts";
import { throwawayKey } from "./throwaway-key.ts";

/** Reads the CA's directory and says what an account there needs. Nothing is registered. */
export async function testAcme(config: AcmeConfig, tools: IssuerTools): Promise<string> {
  const connection = await connectAcme(config, { keyPem: throwawayKey() }, tools);
  const directory = await connection.directory().catch((error: unknown) => {
    throw issuerError("directory", error);
  });
  if (typeof directory.newOrder !== "string" || typeof directory.newNonce !== "string")
    throw new IssuerError(
      "directory",
      `${config.directory_url} answered with no ACME directory`,
      "Configuration",
    );
  const { termsOfService, externalAccountRequired, profiles } = directory.meta ?? {};
  if (termsOfService && !config.terms_of_service_agreed)
    throw new IssuerError(
      "account",
      `the CA wants its terms of service agreed to: read ${termsOfService} and set terms_of_service_agreed`,
      "Configuration",
    );
  if (externalAccountRequired && config.eab_key_id === "")
    throw new IssuerError(
      "account",
      "the CA binds accounts to one that it knows: enter the eab_key_id and eab_hmac_key that it gave you",
      "Configuration",
    );
  const offered = Object.keys(profiles ?? {});
  if (config.profile !== "" && !offered.includes(config.profile))
    throw new IssuerError("order", `the CA offers no profile "${config.profile}"`, "Configuration");
  return [
    `${new URL(config.directory_url).host} answers`,
    directory.renewalInfo ? "it says when to renew (ARI)" : "it does not say when to renew (no ARI)",
    ...(offered.length > 0 ? [`its profiles are ${offered.join(", ")}`] : []),
  ].join("; ");
}
