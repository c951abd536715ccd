import { z } from "zod";
import { webUrl } from "../../connectors/schema.ts";

const secret = z.string().min(1).max(8_192);

export const stepCaConfig = z.strictObject({
  url: webUrl("https").meta({
    destination: true,
    description: "By one of its own names, as its tokens say them: https://ca.example",
  }),
  root_fingerprint: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "has to be 64 hexadecimal digits: step certificate fingerprint root_ca.crt")
    .meta({ destination: true, description: "SHA-256 of its root certificate: nothing else is trusted" }),
  provisioner: z.string().min(1).max(256).meta({ description: "The name of a JWK provisioner" }),
  key: z
    .discriminatedUnion("from", [
      z.strictObject({
        from: z.literal("password"),
        password: secret.meta({ secret: true, description: "Of the encrypted key that the CA keeps" }),
      }),
      z.strictObject({
        from: z.literal("jwk"),
        jwk: secret.meta({ secret: true, description: "The provisioner's private key, as JSON" }),
      }),
    ])
    .meta({ description: "Where the provisioner's private key comes from" }),
});

export type StepCaConfig = z.infer<typeof stepCaConfig>;
