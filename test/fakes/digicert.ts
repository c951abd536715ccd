import { z } from "zod";
import { fromPem } from "../../src/x509/pem.ts";
import { type FakeAnswer, type FakeServer, startFakeServer } from "./fake-server.ts";
import { makeSigningCa, type Signed } from "./signing-ca.ts";

const newOrder = z.strictObject({
  certificate: z.strictObject({
    common_name: z.string().min(1),
    dns_names: z.array(z.string()),
    csr: z.string(),
    signature_hash: z.enum(["sha256", "sha384", "sha512"]),
    ca_cert_id: z.string().optional(),
  }),
  order_validity: z.strictObject({ days: z.int().min(1).max(397) }),
  organization: z.strictObject({ id: z.literal(112_233) }).optional(),
  container: z.strictObject({ id: z.literal(14) }).optional(),
  dcv_method: z.enum(["email", "dns-txt-token", "dns-cname-token", "http-token"]).optional(),
  skip_approval: z.boolean().optional(),
  payment_method: z.enum(["balance", "profile"]).optional(),
  disable_renewal_notifications: z.boolean().optional(),
  comments: z.string().optional(),
  alternative_order_id: z.string().max(64).optional(),
});
const revocation = z.strictObject({
  revocation_reason: z
    .enum(["unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation"])
    .optional(),
  skip_approval: z.boolean().optional(),
  comments: z.string().optional(),
});

interface Order {
  id: number;
  product: string;
  request: z.infer<typeof newOrder>;
  status: "needs_approval" | "pending" | "issued" | "rejected" | "revoked";
  signed: Signed | null;
  revokedFor?: string;
}

/** CertCentral as far as the reference of its Services API tells (https://dev.digicert.com/certcentral-apis/services-api.html). */
export interface Digicert extends AsyncDisposable {
  server: FakeServer;
  apiKey: string;
  /** Whether orders wait for validation. */
  validates: boolean;
  orders: Order[];
  /** The order that was placed last. */
  last(): Order;
  /** Issues what waits. */
  proceed(): void;
}

export async function startDigicert(clock: () => Date): Promise<Digicert> {
  const ca = makeSigningCa(clock());

  function sign(order: Order): void {
    const { certificate, order_validity: validity } = order.request;
    const [csr = Buffer.of()] = fromPem("CERTIFICATE REQUEST", certificate.csr);
    const notAfter = new Date(clock().getTime() + validity.days * 86_400_000);
    order.signed = ca.sign({ csr, sans: [certificate.common_name, ...certificate.dns_names], notAfter });
    order.status = "issued";
  }

  function place(product: string, body: unknown): FakeAnswer {
    if (!["ssl_basic", "private_ssl_plus"].includes(product))
      return failure(404, "not_found|product", "The specified product was not found.");
    const read = newOrder.safeParse(body);
    if (!read.success) return failure(400, "invalid_parameter", read.error.message);
    if (!read.data.organization) return failure(400, "missing_organization", "Organization is required.");
    if (fromPem("CERTIFICATE REQUEST", read.data.certificate.csr).length !== 1)
      return failure(400, "invalid_csr", "The CSR is invalid.");
    const id = 100_000 + fake.orders.length;
    const order: Order = { id, product, request: read.data, status: "pending", signed: null };
    fake.orders.push(order);
    if (!read.data.skip_approval) order.status = "needs_approval";
    else if (!fake.validates) sign(order);
    return { status: 201, body: { id, requests: [{ id: id + 1, status: order.status }] } };
  }

  function shown({ id, status, request, signed, revokedFor }: Order) {
    const { common_name, dns_names } = request.certificate;
    const issued = signed ? { id: id + 500_000, serial_number: signed.serial } : {};
    const certificate = { common_name, dns_names, ...issued, ...(revokedFor ? { status: "revoked" } : {}) };
    return { id, status, certificate, alternative_order_id: request.alternative_order_id };
  }

  function revoke(identifier: string, body: unknown): FakeAnswer {
    const order = fake.orders.find(({ signed }) => signed?.serial === identifier);
    const read = revocation.safeParse(body);
    if (!order) return failure(404, "not_found|certificate", "The specified certificate was not found.");
    if (!read.success) return failure(400, "invalid_parameter", read.error.message);
    if (order.revokedFor) return failure(400, "cert_already_revoked", "The certificate is revoked already.");
    if (!read.data.skip_approval) return { status: 201, body: { id: 1, type: "revoke", status: "pending" } };
    order.revokedFor = read.data.revocation_reason ?? "unspecified";
    return { status: 204 };
  }

  const server = await startFakeServer(({ method, url, headers, body }) => {
    if (headers["x-dc-devkey"] !== fake.apiKey)
      return failure(401, "invalid_api_key", "The API key is not valid.");
    const [, path = ""] = /^\/services\/v2(\/.*)$/.exec(url.pathname) ?? [];
    const call = `${method} ${path}`;
    const read = (pattern: RegExp) => pattern.exec(call)?.[1];
    const json = () => {
      if (headers["content-type"] !== "application/json") return undefined;
      return JSON.parse(body);
    };
    if (call === "GET /user/me") {
      const access_roles = [{ id: 1, name: "Administrator" }];
      return { status: 200, body: { id: 7, username: "certctl", account: { id: 4711 }, access_roles } };
    }
    if (call === "GET /product")
      return { status: 200, body: { products: [{ name_id: "ssl_basic", name: "Basic OV" }] } };
    const alternative = read(/^GET \/order\/alternate\/([^/]+)$/);
    if (alternative !== undefined) {
      const orders = fake.orders
        .filter(({ request }) => request.alternative_order_id === decodeURIComponent(alternative))
        .map(({ id, status }) => ({ order_id: id, certificate_id: id + 500_000, status }));
      return { status: 200, body: { orders, page: { total: orders.length, limit: 1000, offset: 0 } } };
    }
    const product = read(/^POST \/order\/certificate\/(\w+)$/);
    if (product !== undefined) return place(product, json());
    const wanted = read(/^GET \/order\/certificate\/(\w+)$/);
    if (wanted !== undefined) {
      const order = fake.orders.find(({ id, signed }) => String(id) === wanted || signed?.serial === wanted);
      return order
        ? { status: 200, body: shown(order) }
        : failure(404, "not_found|order", "The specified order was not found.");
    }
    const download = read(/^GET \/certificate\/(\d+)\/download\/format\/pem_all$/);
    const issued = fake.orders.find(({ id }) => String(id + 500_000) === download)?.signed;
    if (issued) {
      const body = [ca.rootPem, ca.issuerPem, issued.leafPem].join("\n");
      return { status: 200, headers: { "content-type": "application/x-pem-file" }, body };
    }
    const identifier = read(/^PUT \/certificate\/(\w+)\/revoke$/);
    if (identifier !== undefined) return revoke(identifier, json());
    return failure(404, "not_found|route", `${call} does not exist`);
  });
  const fake: Digicert = {
    server,
    apiKey: "DC-FAKE-KEY-0123456789",
    validates: false,
    orders: [],
    last() {
      const order = fake.orders.at(-1);
      if (!order) throw new Error("nothing was ordered");
      return order;
    },
    proceed() {
      for (const order of fake.orders) if (order.signed === null) sign(order);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return fake;
}

function failure(status: number, code: string, message: string): FakeAnswer {
  return { status, body: { errors: [{ code, message }] } };
}
