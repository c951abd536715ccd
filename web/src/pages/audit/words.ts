/** "certificate_renewal_requested" as a sentence: "Certificate renewal requested". */
export function actionText(action: string): string {
  const text = action.replaceAll("_", " ").replace(/\b(api|csr|ca|id)\b/g, (word) => word.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What of a resource's details is shown first: "not_after" as "not after". */
export function fieldText(field: string): string {
  return field.replaceAll("_", " ");
}

/** Where a resource is shown; undefined for one that has no page. */
export function pathOf(resourceType: string, id: string): string | undefined {
  const page = pages[resourceType];
  if (!page || id === "") return undefined;
  return page.includes("$id") ? page.replace("$id", encodeURIComponent(id)) : page;
}

const pages: Readonly<Record<string, string>> = {
  agent: "/agents/$id",
  api_key: "/settings/api-keys",
  certificate: "/certificates/$id",
  issuer: "/issuers/$id",
  job: "/jobs/$id",
  notification: "/inbox",
  notifier: "/settings/channels",
  operation: "/operations/$id",
  owner: "/owners/$id",
  policy_rule: "/policies/$id",
  renewal_policy: "/policies/renewal",
  scheduled_task: "/settings/scheduler",
  target: "/targets/$id",
  team: "/teams/$id",
};
