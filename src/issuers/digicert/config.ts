import { z } from "zod";
import { ca, webUrl } from "../../connectors/schema.ts";

const number = (words: string) =>
  z.int().min(1, `has to be ${words}`).max(2_147_483_647, `has to be ${words}`);

export const digicertConfig = z.strictObject({
  api_key: z.string().min(8).max(512).meta({
    title: "API key",
    description: "Of a user who may order; of an administrator to skip approvals",
    secret: true,
  }),
  product: z
    .string()
    .regex(/^[a-z][a-z0-9_]{1,63}$/, "has to be a product identifier such as ssl_basic")
    .meta({ title: "Product", description: "Its identifier: ssl_basic, ssl_dv_geotrust, private_ssl_plus" }),
  organization_id: number("an organization's id").optional().meta({
    title: "Organization",
    description: "Its id; needed for OV, EV and private products",
  }),
  container_id: number("a division's id").optional().meta({
    title: "Division",
    description: "Id of the division that orders; the key's own when left out",
  }),
  ca_cert_id: z
    .string()
    .regex(/^[A-Za-z0-9]{1,64}$/, "has to be an intermediate's id")
    .optional()
    .meta({ title: "Intermediate", description: "Its id; the product's default when left out" }),
  dcv_method: z.enum(["email", "dns-txt-token", "dns-cname-token", "http-token"]).optional().meta({
    title: "Validation of domains",
    description: "For domains that the account has not validated already; done outside of certctl",
  }),
  skip_approval: z.boolean().default(true).meta({
    title: "Skip approvals",
    description: "Whether orders and revocations do without the approval of an administrator at DigiCert",
  }),
  payment_method: z
    .enum(["balance", "profile"])
    .optional()
    .meta({ title: "Payment", description: "The account's default when left out" }),
  url: webUrl("https").default("https://www.digicert.com/services/v2").meta({
    title: "API",
    description: "Another instance of CertCentral",
    destination: true,
  }),
  ca,
});
export type DigicertConfig = z.infer<typeof digicertConfig>;
