import { z } from "zod";
import { ca, webUrl } from "../../connectors/schema.ts";

const header = (words: string) =>
  z.string().regex(/^[\x21-\x7e]{1,128}$/, `has to be ${words} of printable characters without spaces`);
const number = (words: string) =>
  z.int().min(1, `has to be ${words}`).max(2_147_483_647, `has to be ${words}`);

export const sectigoConfig = z.strictObject({
  customer_uri: header("a customer URI").meta({
    title: "Customer URI",
    description: "The last part of the address at which people sign in: cert-manager.com/customer/…",
  }),
  login: header("a login").meta({ title: "Login", description: "Of an administrator with API access" }),
  password: z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/, "has to be of printable characters")
    .meta({ title: "Password", description: "That of the login", secret: true }),
  organization_id: number("an organization's id").meta({
    title: "Organization",
    description: "Id of the organization or department",
  }),
  certificate_profile_id: number("a certificate profile's id").meta({
    title: "Certificate profile",
    description: "Id of an SSL certificate profile of the organization",
  }),
  external_requester: z
    .email()
    .max(128)
    .optional()
    .meta({ title: "External requester", description: "Whom Sectigo writes to about the certificate" }),
  custom_fields: z.record(z.string().min(1).max(256), z.string().max(256)).optional().meta({
    title: "Custom fields",
    description: 'Values by name, for those that the account demands: {"Cost centre": "4711"}',
  }),
  dcv_mode: z.enum(["CNAME", "HTTP", "HTTPS", "TXT"]).optional().meta({
    title: "Validation of domains",
    description: "Only where domains are not validated before; done outside of certctl",
  }),
  url: webUrl("https").default("https://cert-manager.com/api").meta({
    title: "API",
    description: "Another instance of Sectigo Certificate Manager",
    destination: true,
  }),
  ca,
});
export type SectigoConfig = z.infer<typeof sectigoConfig>;
