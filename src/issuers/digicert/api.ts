import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { fromPem, pem } from "../../x509/pem.ts";
import { askCa, type CaApi, CaRefusal, callCa } from "../ca-http.ts";
import type { IssueRequest, IssuerTools } from "../issuer.ts";
import type { DigicertConfig } from "./config.ts";

/** CertCentral's Services API: https://dev.digicert.com/certcentral-apis/services-api.html */
export function apiOf({ url, ca, api_key: key }: DigicertConfig): CaApi {
  return {
    url,
    ca,
    headers: { "x-dc-devkey": key },
    words: (body) =>
      refusal
        .safeParse(body)
        .data?.errors.map(({ code, message }) => `${code}: ${message}`)
        .join("; "),
  };
}

/** https://dev.digicert.com/errors/ */
const refusal = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })) });

/** Nothing comes of these any more. */
export const deadStatuses = ["rejected", "canceled", "revoked", "expired"];

const order = z.object({
  id: z.int(),
  status: z.string(),
  certificate: z.object({ id: z.int().optional(), status: z.string().optional() }),
});

/**
 * By its id, or by the serial number of its certificate.
 * https://dev.digicert.com/certcentral-apis/services-api/orders/order-info.html
 */
export function readOrder(tools: IssuerTools, api: CaApi, step: string, id: number | string) {
  return askCa(tools, api, { step, method: "GET", path: `/order/certificate/${id}` }, order);
}

/**
 * The order that was placed for a key, unless nothing comes of it any more; null: there is none.
 * https://dev.digicert.com/services-api/orders/get-orders-alternative-order-id/
 */
export async function findOrder(tools: IssuerTools, api: CaApi, keyId: string): Promise<number | null> {
  const path = `/order/alternate/${encodeURIComponent(keyId)}`;
  const call = { step: "order", method: "GET", path } as const;
  const { orders } = await askCa(tools, api, call, alternates).catch((error: unknown) => {
    // Its documentation does not say how the API answers that there is none.
    if (error instanceof CaRefusal && error.status === 404) return { orders: [] };
    throw error;
  });
  const live = orders.filter(({ status }) => !deadStatuses.includes(status));
  return live.length === 0 ? null : Math.max(...live.map(({ order_id: id }) => id));
}

const alternates = z.object({
  orders: z.array(z.object({ order_id: z.int(), status: z.string() })).default([]),
});

/** https://dev.digicert.com/certcentral-apis/services-api/orders/order-secure-site-ov.html */
export async function placeOrder(
  tools: IssuerTools,
  api: CaApi,
  config: DigicertConfig,
  { keyId, csr, commonName, sans, validitySeconds }: IssueRequest,
): Promise<number> {
  const name = commonName || sans[0];
  const body = {
    certificate: {
      common_name: name,
      dns_names: sans.filter((san) => san !== name),
      csr: pem("CERTIFICATE REQUEST", csr),
      signature_hash: "sha256",
      ca_cert_id: config.ca_cert_id,
    },
    order_validity: { days: Math.floor(validitySeconds / 86_400) },
    organization: config.organization_id && { id: config.organization_id },
    container: config.container_id && { id: config.container_id },
    dcv_method: config.dcv_method,
    skip_approval: config.skip_approval,
    payment_method: config.payment_method,
    disable_renewal_notifications: true,
    comments: `certctl ${keyId}`,
    alternative_order_id: keyId,
  };
  const path = `/order/certificate/${config.product}`;
  const placed = await askCa(
    tools,
    api,
    { step: "order", method: "POST", path, body },
    z.object({ id: z.int() }),
  );
  return placed.id;
}

/**
 * The leaf, then what signed it.
 * https://dev.digicert.com/certcentral-apis/services-api/certificates/download-certificate-by-format.html
 */
export async function downloadChain(
  tools: IssuerTools,
  api: CaApi,
  certificateId: number,
): Promise<string[]> {
  const path = `/certificate/${certificateId}/download/format/pem_all`;
  const headers = { accept: "*/*" };
  const { body } = await callCa(tools, api, { step: "download", method: "GET", path, headers });
  const all = fromPem("CERTIFICATE", body.toString());
  // Its documentation does not say in which order they come.
  const isLeaf = (der: Buffer) => !new X509Certificate(der).ca;
  return [...all.filter(isLeaf), ...all.filter((der) => !isLeaf(der))].map((der) => pem("CERTIFICATE", der));
}
