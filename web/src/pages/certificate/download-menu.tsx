import { useQuery } from "@connectrpc/connect-query";
import { ClipboardCopy, Download } from "lucide-react";
import { CertificateService, DownloadFormat, DownloadFormatSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { isDemo } from "../../demo/mode.ts";
import { wordOfValue } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { toast } from "../../ui/toast.tsx";

const formats: readonly (readonly [DownloadFormat, string, string])[] = [
  [DownloadFormat.FULLCHAIN_PEM, "Full chain, leaf first", "PEM: nginx, Apache, HAProxy"],
  [DownloadFormat.LEAF_PEM, "Leaf", "PEM"],
  [DownloadFormat.CHAIN_PEM, "Chain without the leaf", "PEM"],
  [DownloadFormat.FULLCHAIN_REVERSED_PEM, "Full chain, leaf last", "PEM"],
  [DownloadFormat.ROOT_PEM, "Root", "PEM: for clients to trust"],
  [DownloadFormat.LEAF_DER, "Leaf", "DER"],
  [DownloadFormat.PKCS7, "Leaf and chain", "PKCS #7: Windows, Java"],
];

/** A version in the forms that servers and people ask for; never a key: the control plane has none. */
export function DownloadMenu({ id, versionId }: { id: string; versionId: string }) {
  const read = useQuery(CertificateService.method.getCertificateVersion, { id, versionId });
  const pem = read.data?.version?.pemChain ?? "";
  const download = (format: DownloadFormat) => {
    const link = document.createElement("a");
    link.href = `/api/v1/certificates/${id}/versions/${versionId}/download?format=${wordOfValue(DownloadFormatSchema, format)}`;
    link.download = "";
    link.click();
  };
  return (
    <Menu trigger={<Button icon={Download}>Download</Button>}>
      <MenuItem
        icon={ClipboardCopy}
        disabledReason={pem ? undefined : "It was not read yet"}
        onSelect={() =>
          void navigator.clipboard.writeText(pem).then(() => toast("Copied leaf and chain as PEM"))
        }
      >
        Copy the PEM
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>Files</MenuLabel>
      {formats.map(([format, label, hint]) => (
        <MenuItem
          key={format}
          hint={hint}
          disabledReason={isDemo() ? "The demo has no files" : undefined}
          onSelect={() => download(format)}
        >
          {label}
        </MenuItem>
      ))}
    </Menu>
  );
}
