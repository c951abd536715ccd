import { z } from "zod";
import { ca, webUrl } from "../../connectors/schema.ts";
import { caCertificates } from "../config-fields.ts";

const name = (description: string) => z.string().min(1).max(256).meta({ description });
const secret = z.string().min(1).max(16_384);

export const ejbcaConfig = z.strictObject({
  url: webUrl("https").meta({
    destination: true,
    description: "Where the REST interface answers: https://ejbca.example/ejbca/ejbca-rest-api",
  }),
  ca,
  certificate_authority: name("The name of the CA that signs, as EJBCA has it"),
  certificate_profile: name("The certificate profile; it decides the lifetime"),
  end_entity_profile: name("The end entity profile; it decides which names may be asked for"),
  user_prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "has to be letters, digits, dots, dashes and underscores")
    .default("certctl-")
    .meta({ description: "In front of the user name that each key gets in EJBCA" }),
  auth: z
    .discriminatedUnion("method", [
      z
        .strictObject({
          method: z.literal("certificate"),
          certificate: caCertificates("The client certificate of a role that may enrol, PEM"),
          private_key: secret.meta({ secret: true, description: "Of the client certificate, PEM" }),
        })
        .meta({ title: "Client certificate" }),
      z
        .strictObject({
          method: z.literal("bearer"),
          token: secret.meta({
            secret: true,
            description: "An OAuth access token; is not renewed by certctl",
          }),
        })
        .meta({ title: "OAuth token" }),
    ])
    .meta({ description: "How certctl is known to EJBCA" }),
});
export type EjbcaConfig = z.infer<typeof ejbcaConfig>;
