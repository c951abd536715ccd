import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { StartupError } from "../src/platform/startup-error.ts";
import { caPin } from "../src/x509/pin.ts";

const deadlineMs = 20_000;
const mostBytes = 262_144;

/**
 * Fetches the roots of a control plane and keeps the one that the pin names. Nothing secret is sent: until the pin is
 * found, the other side may be anybody.
 */
export async function pinnedRoot(server: URL, pin: string, signal: AbortSignal): Promise<string> {
  const body = await fetchUnverified(new URL("/api/v1/trust-bundle", server), signal);
  const roots = rootsOf(body);
  const root = roots.find(
    (text) => caPin(new X509Certificate(text).publicKey.export({ type: "spki", format: "der" })) === pin,
  );
  if (!root)
    throw new StartupError(
      `${server.origin} is not the control plane that the CA pin names; nothing was sent to it`,
    );
  return root;
}

function rootsOf(body: string): string[] {
  try {
    const { roots_pem: roots } = JSON.parse(body) as { roots_pem: unknown };
    return Array.isArray(roots) ? roots.filter((root) => typeof root === "string") : [];
  } catch {
    return [];
  }
}

function fetchUnverified(url: URL, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const call = request(url, { rejectUnauthorized: false, agent: false, signal: limit }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
        if (body.length > mostBytes) call.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => resolve(body));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end();
  });
}
