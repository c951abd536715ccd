import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { isRows } from "../src/rest/command-words.ts";
import { enumWords } from "../src/rest/json.ts";
import type { ApiCommand } from "./commands.ts";
import { flagName } from "./flags.ts";

/** Where what a command needs cannot be told from its descriptors. */
const known: Record<string, string> = {
  "certs create": "--name shop --common-name shop.example.com --target-ids tgt-shop",
  "targets create": `--name shop --kind nginx --agent-id ag-local --config '{"entry": "shop"}'`,
  "issuers create": "--name internal --kind local-ca --config '{}'",
  "notifiers create": `--name hook --kind webhook --config '{"url": "https://hooks.example.com", "secret": "…"}'`,
  "api-keys create": "--name ci --role operator --team-ids t-web",
  "owners create": "--name Ann --email ann@example.com --team-id t-web",
  "renewal-policies create": "--name short-lived --renewal-window-days 10",
  "renewal-policies update": `rp-default --channels '{"notifier_id": "nf-mail", "events": ["RenewalFailed"]}'`,
  "policies create": `--name lifetime --type CertificateLifetime --config '{"max_days": 90}'`,
  "policies dry-run": `--type CertificateLifetime --config '{"max_days": 90}'`,
  "operations dry-run": `--kind Renew --filter '{"team_id": "t-web"}'`,
  "operations create": `--kind Renew --filter '{"team_id": "t-web"}' --expected-total 12`,
};

/** A line that shows how a command is used. */
export function exampleOf({ verb, positional, flags, method }: ApiCommand, noun: string): string {
  const given = known[`${noun} ${verb}`];
  if (given !== undefined) return `certctl ${noun} ${verb} ${given}`;
  const words = ["certctl", noun, verb, ...positional.map(({ name }) => name.toUpperCase())];
  const isList = method.output.fields.some(isRows);
  const shown = isList ? flags.filter((field) => field.enum) : flags.filter(isName);
  if (isList || verb === "create" || verb === "update")
    for (const field of shown.slice(0, isList ? 1 : 2)) words.push(flagName(field), sample(field));
  return words.join(" ");
}

function isName({ name, fieldKind, scalar }: DescField): boolean {
  return fieldKind === "scalar" && scalar === ScalarType.STRING && /name$|_id$|^kind$/.test(name);
}

function sample(field: DescField): string {
  if (field.enum) return enumWords(field.enum)[0] ?? "";
  return field.name === "common_name" ? "shop.example.com" : field.name.endsWith("_id") ? "ID" : "shop";
}
