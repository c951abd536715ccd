import { getDomain } from "tldts";
import type { Budget, OrderPlace } from "../budget.ts";
import type { AcmeConfig } from "./config.ts";

/** What may be ordered of the CA, as the issuer's settings say. */
export function budgetOf({ directory_url: account, budget }: AcmeConfig): Budget {
  return {
    account,
    orders: budget.orders_per_three_hours,
    perDomain: budget.certificates_per_domain_week,
    perNameSet: budget.certificates_per_name_set_week,
  };
}

/** How CAs count an order for these names. */
export function placeOf(keyId: string, sans: readonly string[], isReplacement: boolean): OrderPlace {
  const names = [...new Set(sans)].sort();
  return {
    keyId,
    domains: [...new Set(names.map(registeredDomain))],
    nameSet: names.join(" "),
    isReplacement,
  };
}

/** "example.co.uk" of "*.shop.example.co.uk", by the Public Suffix List; what lies below none, as it is. */
function registeredDomain(name: string): string {
  const host = name.replace(/^\*\./, "");
  return getDomain(host, { allowPrivateDomains: true }) ?? host;
}
