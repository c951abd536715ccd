import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { fromPem } from "../../x509/pem.ts";

const pemText = z
  .string()
  .max(65_536)
  .refine((text) => text === "" || areCertificates(text), "has to be certificates in PEM");

/** Empty where certificates are asked for over DNS by other means. */
const rfc2136 = z.strictObject({
  server: z.string().max(253).default("").meta({
    destination: true,
    description: "The primary name server that takes updates: a name or an address",
  }),
  port: z.int().min(1).max(65_535).default(53).meta({ destination: true }),
  zone: z
    .string()
    .max(253)
    .default("")
    .meta({ description: "The zone that records are added to; asked of the server when left out" }),
  tsig_key_name: z.string().max(253).default("").meta({ title: "TSIG key name" }),
  tsig_algorithm: z
    .enum(["hmac-sha256", "hmac-sha384", "hmac-sha512"])
    .default("hmac-sha256")
    .meta({ title: "TSIG algorithm" }),
  tsig_secret: z
    .string()
    .max(1_024)
    .default("")
    .meta({ secret: true, title: "TSIG secret", description: "Base64, as the name server has it" }),
});

const budget = z.strictObject({
  certificates_per_domain_week: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(50)
    .meta({ description: "New certificates per registered domain in 7 days; 0: no bound" }),
  certificates_per_name_set_week: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(5)
    .meta({ description: "Certificates for exactly the same names in 7 days; 0: no bound" }),
  orders_per_three_hours: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(300)
    .meta({ description: "Orders of the account in 3 hours; 0: no bound" }),
});

/** Where the CA's directory lies, who we are there, and how it is shown that names are ours. */
export const acmeConfig = z
  .strictObject({
    directory_url: z
      .url({ protocol: /^https$/, error: "has to be an https:// URL" })
      .max(2_048)
      .meta({ destination: true, description: "https://acme-v02.api.letsencrypt.org/directory" }),
    contact_emails: z.array(z.email().max(254)).max(10).default([]),
    terms_of_service_agreed: z
      .boolean()
      .default(false)
      .meta({ description: "The account agrees to the CA's terms; testing the issuer says where they are" }),
    eab_key_id: z
      .string()
      .max(1_024)
      .default("")
      .meta({ description: "External account binding, where the CA wants one" }),
    eab_hmac_key: z
      .string()
      .max(4_096)
      .default("")
      .meta({ secret: true, description: "Base64url, as the CA gave it" }),
    challenge: z.enum(["http-01", "dns-01", "tls-alpn-01"]).default("http-01"),
    solver: z.enum(["server", "agent", "rfc2136", "hook"]).default("server").meta({
      description:
        "Who answers: this control plane (http-01), the certificate's agent (http-01, tls-alpn-01), a name server by RFC 2136 (dns-01), a command (dns-01)",
    }),
    hook_command: z
      .string()
      .regex(/^[A-Za-z0-9_-]{0,64}$/, "has to be the name of a command in server.yaml")
      .default("")
      .meta({
        command: true,
        description: "The command in server.yaml that changes the DNS, for the solver hook",
      }),
    rfc2136: rfc2136.default(rfc2136.parse({})),
    preferred_chain: z.string().max(256).default("").meta({
      description:
        "The common name of an issuer in the chain that is to be taken, where the CA offers several",
    }),
    profile: z.string().max(64).default("").meta({ description: "One of the CA's certificate profiles" }),
    ca: pemText.default("").meta({
      destination: true,
      description:
        "Certificates by which the directory's TLS is verified, PEM; the well-known ones when left out",
    }),
    root: pemText.default("").meta({
      description: "The roots that issued chains may build to, PEM; the end of the CA's chain when left out",
    }),
    renewal_information: z
      .boolean()
      .default(true)
      .meta({ description: "Ask the CA when to renew (ARI, RFC 9773), and renew then" }),
    budget: budget.default(budget.parse({})),
  })
  .superRefine((config, ctx) => {
    const issue = (path: string[], message: string) => ctx.addIssue({ code: "custom", path, message });
    const solvers = solversOf[config.challenge];
    if (!solvers.includes(config.solver))
      issue(["solver"], `${config.challenge} is answered by ${solvers.join(" or ")}`);
    if ((config.eab_key_id === "") !== (config.eab_hmac_key === ""))
      issue([config.eab_key_id === "" ? "eab_key_id" : "eab_hmac_key"], "is missing: both or none of them");
    if (config.solver === "hook" && config.hook_command === "") issue(["hook_command"], "is missing");
    if (config.solver !== "rfc2136") return;
    for (const field of ["server", "tsig_key_name", "tsig_secret"] as const)
      if (config.rfc2136[field] === "") issue(["rfc2136", field], "is missing");
  });

export type AcmeConfig = z.infer<typeof acmeConfig>;

const solversOf: Record<AcmeConfig["challenge"], readonly AcmeConfig["solver"][]> = {
  "http-01": ["server", "agent"],
  "dns-01": ["rfc2136", "hook"],
  "tls-alpn-01": ["agent"],
};

function areCertificates(text: string): boolean {
  try {
    const all = fromPem("CERTIFICATE", text).map((der) => new X509Certificate(der));
    return all.length > 0;
  } catch {
    return false;
  }
}
