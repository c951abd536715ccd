import { useQuery as useAnyQuery } from "@tanstack/react-query";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { Facts } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import type { Decoded, Pasted } from "./decode.ts";

interface Reading {
  data: Decoded | undefined;
  error: unknown;
}

/** Decodes a pasted PEM. The reader's code is fetched by the first one. */
export function usePasted(pasted: Pasted): Reading {
  const pem = pasted.kind === "certificate" || pasted.kind === "csr" ? pasted.pem : "";
  return useAnyQuery({
    queryKey: ["pasted", pem],
    enabled: pem !== "",
    retry: false,
    queryFn: async () => {
      const { readCertificate, readRequest } = await import("./read-pem.ts");
      return pasted.kind === "certificate" ? readCertificate(pem) : readRequest(pem);
    },
  });
}

/** What the pasted certificate or signing request says. */
export function PastedDetails({ pasted, decoded: { data, error } }: { pasted: Pasted; decoded: Reading }) {
  if (pasted.kind !== "certificate" && pasted.kind !== "csr") return null;
  if (error)
    return <p className="tone-bad tone-text px-2 pt-3">This PEM cannot be read: it is cut off or damaged.</p>;
  if (!data) return null;
  return (
    <section aria-label="What was pasted" className="mt-3 rounded-panel border border-line1 p-3">
      <Facts
        facts={[
          [pasted.kind === "csr" ? "CSR for" : "Subject", data.subject || "none"],
          ["Names", data.names.join(", ") || "none"],
          data.issuer !== undefined && ["Issuer", data.issuer],
          data.notBefore !== undefined && ["Valid from", <Time key="from" at={data.notBefore} isExact />],
          data.notAfter !== undefined && ["Expires", <Time key="to" at={data.notAfter} isExact />],
          data.serial !== undefined && ["Serial", <CopyText key="serial" text={data.serial} />],
          data.fingerprint !== undefined && [
            "SHA-256",
            <CopyText key="print" text={data.fingerprint} shown={shortHex(data.fingerprint, 24)} />,
          ],
        ]}
      />
      <p className="mt-2 text-fg2 text-sm">Read in this browser; only its fingerprint is looked for.</p>
    </section>
  );
}
