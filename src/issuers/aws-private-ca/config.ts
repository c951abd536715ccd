import { z } from "zod";
import { ca, webUrl } from "../../connectors/schema.ts";

const arn = (what: RegExp, words: string) =>
  z
    .string()
    .max(200)
    .regex(/^arn:aws[a-z-]*:acm-pca:/, `must be the ARN of ${words}`)
    .regex(what, `must be the ARN of ${words}`);

export const awsPrivateCaConfig = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/, 'must be a region such as "eu-central-1"')
    .meta({ title: "Region", description: "eu-central-1", destination: true }),
  certificate_authority_arn: arn(/:certificate-authority\/[0-9a-f-]{36}$/, "a certificate authority").meta({
    title: "ARN of the CA",
    description: "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/…",
  }),
  access_key_id: z
    .string()
    .regex(/^\w{16,128}$/, "must be an access key id")
    .meta({ title: "Access key id", description: "Of an IAM user or role that may use this CA" }),
  secret_access_key: z
    .string()
    .min(1)
    .max(256)
    .meta({ title: "Secret access key", description: "That of the key id", secret: true }),
  session_token: z
    .string()
    .min(1)
    .max(8_192)
    .optional()
    .meta({ title: "Session token", description: "With temporary credentials only", secret: true }),
  template_arn: arn(/^arn:aws[a-z-]*:acm-pca:::template\/\w+\/V\d$/, "a template")
    .default("arn:aws:acm-pca:::template/EndEntityServerAuthCertificate/V1")
    .meta({
      title: "Template",
      description: "EndEntityCertificate/V1 is for TLS servers and clients; names come from the CSR",
    }),
  signing_algorithm: z
    .enum([
      "SHA256WITHECDSA",
      "SHA384WITHECDSA",
      "SHA512WITHECDSA",
      "SHA256WITHRSA",
      "SHA384WITHRSA",
      "SHA512WITHRSA",
    ])
    .optional()
    .meta({ title: "Signing algorithm", description: "The CA's own when left out" }),
  endpoint: webUrl("https").optional().meta({
    title: "Endpoint",
    destination: true,
    description: "Of a VPC endpoint; the region's public one when left out",
  }),
  ca,
});
export type AwsPrivateCaConfig = z.infer<typeof awsPrivateCaConfig>;
