import { z } from "zod";
import { ca, webUrl } from "../../connectors/schema.ts";
import { mask } from "../../connectors/secrets.ts";

const segment = (words: string) =>
  z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,62})$/, `has to be ${words}`);

/** Of the key file that Google Cloud makes for a service account. */
const keyFile = z.object({ client_email: z.email(), private_key: z.string(), private_key_id: z.string() });
export type ServiceAccountKey = z.infer<typeof keyFile>;

export const googleCasConfig = z.strictObject({
  project: segment("a project id").meta({ title: "Project", description: "Id of the pool's project" }),
  location: segment("a location").meta({ title: "Location", description: "europe-west1" }),
  ca_pool: segment("the id of a CA pool").meta({
    title: "CA pool",
    description: "Id of the pool that signs",
  }),
  certificate_authority: segment("the id of a CA in the pool").optional().meta({
    title: "CA of the pool",
    description: "Id of the one CA of the pool that is to sign; any that is enabled when left out",
  }),
  certificate_template: z
    .string()
    .regex(
      /^projects\/[^/]+\/locations\/[^/]+\/certificateTemplates\/[^/]+$/,
      "has to be projects/…/locations/…/certificateTemplates/…",
    )
    .optional()
    .meta({
      title: "Certificate template",
      description: "projects/…/locations/…/certificateTemplates/…; without it the pool's policy alone counts",
    }),
  service_account_key: z
    .string()
    .max(16_384)
    .refine((text) => text === mask || keyOf(text) !== null, {
      error: "has to be the JSON key file of a service account",
    })
    .meta({
      title: "Service account's key",
      description: "The whole JSON file, as Google Cloud made it",
      secret: true,
    }),
  url: webUrl("https").default("https://privateca.googleapis.com").meta({
    title: "API",
    description: "Another one for Private Service Connect",
    destination: true,
  }),
  token_url: webUrl("https").default("https://oauth2.googleapis.com/token").meta({
    title: "Token endpoint",
    description: "Where the key is exchanged for an access token",
    destination: true,
  }),
  ca,
});
export type GoogleCasConfig = z.infer<typeof googleCasConfig>;

export function keyOf(text: string): ServiceAccountKey | null {
  try {
    return keyFile.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
