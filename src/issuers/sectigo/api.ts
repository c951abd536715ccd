import { z } from "zod";
import type { FailureClass } from "../../platform/failure.ts";
import { readCsr } from "../../x509/csr.ts";
import { pem } from "../../x509/pem.ts";
import { askCa, type CaApi, callCa } from "../ca-http.ts";
import type { IssueRequest, IssuerTools } from "../issuer.ts";
import type { SectigoConfig } from "./config.ts";

/** The REST API of Sectigo Certificate Manager, its administrator's part: "Certificate Manager REST API", release 25.5. */
export function apiOf({ url, ca, login, password, customer_uri: customerUri }: SectigoConfig): CaApi {
  return {
    url,
    ca,
    headers: { login, password, customeruri: customerUri },
    words: (body) => {
      const { code, description } = refusal.safeParse(body).data ?? {};
      return description && `${description} (${code})`;
    },
    classOf: (_status, body) => classes[codeOf(body) ?? 0],
  };
}

const refusal = z.object({ code: z.int(), description: z.string() });

/** The API's own number of a refusal. */
export function codeOf(body: unknown): number | undefined {
  return refusal.safeParse(body).data?.code;
}

const classes: Record<number, FailureClass | undefined> = {
  // Not authorized, access denied.
  [-3]: "Configuration",
  [-25]: "Configuration",
  [-37]: "Configuration",
  // Sectigo's own parts do not reach each other.
  [-129]: "Network",
  [-140]: "Network",
  [-195]: "Network",
};

const profiles = z.array(z.object({ id: z.int(), name: z.string(), terms: z.array(z.int()) }));

/** The profile that is configured, with the lifetimes that it has, in days; undefined: the organization has none like it. */
export async function readProfile(tools: IssuerTools, api: CaApi, step: string, config: SectigoConfig) {
  const query = { organizationId: String(config.organization_id) };
  const all = await askCa(tools, api, { step, method: "GET", path: "/ssl/v1/types", query }, profiles);
  return all.find(({ id }) => id === config.certificate_profile_id);
}

const customFields = z.array(z.object({ name: z.string(), mandatory: z.boolean() }));

/** The custom fields that every request has to have, and that are not configured. */
export async function missingFields(
  tools: IssuerTools,
  api: CaApi,
  config: SectigoConfig,
): Promise<string[]> {
  const call = { step: "test", method: "GET", path: "/ssl/v1/customFields" } as const;
  const fields = await askCa(tools, api, call, customFields);
  const mandatory = fields.filter((field) => field.mandatory).map(({ name }) => name);
  return mandatory.filter((name) => config.custom_fields?.[name] === undefined);
}

/** Nothing comes of these any more. */
export const deadStatuses = ["Declined", "Rejected", "Invalid", "Revoked", "Expired", "Replaced"];

const details = z.object({ status: z.string(), comments: z.string().nullish() });

export function readDetails(tools: IssuerTools, api: CaApi, id: number) {
  return askCa(tools, api, { step: "order", method: "GET", path: `/ssl/v1/${id}` }, details);
}

const pageSize = 200;
/** One whose answer was lost is among the newest. */
const mostDetails = 50;

/**
 * The request that was placed for a key, unless nothing comes of it any more; null: there is none. The API cannot be asked by
 * comments: those of the newest certificates with the same common name are read.
 */
export async function findRequest(
  tools: IssuerTools,
  api: CaApi,
  config: SectigoConfig,
  request: IssueRequest,
): Promise<number | null> {
  const ids: number[] = [];
  for (let position = 0; ; position += pageSize) {
    const query = {
      size: String(pageSize),
      position: String(position),
      commonName: nameOf(request),
      orgId: String(config.organization_id),
      sslTypeId: String(config.certificate_profile_id),
    };
    const page = await askCa(tools, api, { step: "order", method: "GET", path: "/ssl/v1", query }, list);
    ids.push(...page.map(({ sslId }) => sslId));
    if (page.length < pageSize) break;
  }
  for (const id of ids.sort((a, b) => b - a).slice(0, mostDetails)) {
    const { status, comments } = await readDetails(tools, api, id);
    if (comments === commentsFor(request) && !deadStatuses.includes(status)) return id;
  }
  return null;
}

const list = z.array(z.object({ sslId: z.int() }));

export async function placeRequest(
  tools: IssuerTools,
  api: CaApi,
  config: SectigoConfig,
  { request, term }: { request: IssueRequest; term: number },
): Promise<number> {
  const body = {
    orgId: config.organization_id,
    certType: config.certificate_profile_id,
    term,
    csr: pem("CERTIFICATE REQUEST", request.csr),
    subjAltNames: request.sans.join(","),
    comments: commentsFor(request),
    externalRequester: config.external_requester,
    customFields:
      config.custom_fields && Object.entries(config.custom_fields).map(([name, value]) => ({ name, value })),
    dcvMode: config.dcv_mode,
  };
  const call = { step: "order", method: "POST", path: "/ssl/v1/enroll", body } as const;
  return (await askCa(tools, api, call, z.object({ sslId: z.int() }))).sslId;
}

/** The certificate, then what signed it. */
export async function collectChain(tools: IssuerTools, api: CaApi, id: number): Promise<string[]> {
  const texts: string[] = [];
  for (const format of ["x509CO", "x509IO"]) {
    const headers = { accept: "*/*" };
    const call = {
      step: "collect",
      method: "GET",
      path: `/ssl/v1/collect/${id}`,
      query: { format },
      headers,
    } as const;
    texts.push((await callCa(tools, api, call)).body.toString());
  }
  return texts;
}

function commentsFor({ keyId }: IssueRequest): string {
  return `certctl ${keyId}`;
}

/** Sectigo takes the common name from the CSR; one without gets its first name. */
function nameOf({ csr, sans }: IssueRequest): string {
  return readCsr(csr).commonName || (sans[0] ?? "");
}
