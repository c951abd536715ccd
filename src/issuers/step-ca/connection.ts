import { X509Certificate } from "node:crypto";
import { z } from "zod";
import type { FailureClass } from "../../platform/failure.ts";
import { sha256 } from "../../x509/keys.ts";
import { fromPem, pem } from "../../x509/pem.ts";
import { askCa, type CaApi } from "../ca-http.ts";
import { IssuerError, type IssuerTools } from "../issuer.ts";
import type { StepCaConfig } from "./config.ts";

export interface Connection {
  api: CaApi;
  /** The root that was pinned, PEM. */
  rootPem: string;
}

/** Fetches the root that the fingerprint names, as `step ca bootstrap` does, and trusts it alone from then on. */
export async function connect(step: string, config: StepCaConfig, tools: IssuerTools): Promise<Connection> {
  const fingerprint = config.root_fingerprint.toLowerCase();
  const open: CaApi = { url: config.url, words, classOf };
  const call = { step, method: "GET", path: `/root/${fingerprint}` } as const;
  const { ca } = await askCa(tools, { ...open, isUnverified: true }, call, z.object({ ca: z.string() }));
  const [der] = fromPem("CERTIFICATE", ca);
  if (!der || sha256(der).toString("hex") !== fingerprint)
    throw new IssuerError(
      step,
      "the root that the CA sent has another fingerprint; it is not trusted",
      "Configuration",
    );
  const rootPem = pem("CERTIFICATE", new X509Certificate(der).raw);
  return { api: { ...open, ca: rootPem }, rootPem };
}

function words(body: unknown): string | undefined {
  return z.object({ message: z.string() }).safeParse(body).data?.message;
}

/** What it answers with 403 is its verdict on the certificate: a name or a lifetime that it will not sign. */
function classOf(status: number): FailureClass | undefined {
  return status === 403 ? "Refused" : undefined;
}
