import { ApiKeyRoleSchema, ApiKeyStatusSchema } from "#gen/certctl/v1/api_keys_pb.ts";
import { wordOf, wordsOf } from "../../../../src/platform/words.ts";

export const roleWords = wordsOf(ApiKeyRoleSchema);
export const statusWords = wordsOf(ApiKeyStatusSchema);

/** Every word that there is. */
export const roles = ApiKeyRoleSchema.values
  .filter(({ number }) => number !== 0)
  .map((value) => wordOf(value, ApiKeyRoleSchema));
export const statuses = ApiKeyStatusSchema.values
  .filter(({ number }) => number !== 0)
  .map((value) => wordOf(value, ApiKeyStatusSchema));

/** What a key with the role is for. */
export const roleHints: Readonly<Record<string, string>> = {
  admin: "Everything",
  operator: "Runs certificates; changes neither issuers, policies, notifiers nor keys",
  viewer: "Reads what an operator reads",
  auditor: "Reads the audit and nothing else",
  agent: "Acts as one agent",
};
