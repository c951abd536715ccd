import type { MessageInitShape } from "@bufbuild/protobuf";
import { Archive, Columns3, Download, Ellipsis, Link2, SquareTerminal } from "lucide-react";
import { CertificateService, type ListCertificatesRequestSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { asCommand, asCurl } from "../../api/copy-as.ts";
import { downloadStream } from "../../api/download.ts";
import { messageOf } from "../../api/errors.ts";
import { sentence } from "../../status/words.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Menu, MenuCheckbox, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { optionalColumns } from "./columns.tsx";
import type { ListValues } from "./parameters.ts";

interface ListMenuProps {
  values: ListValues;
  set(changes: Partial<ListValues>): void;
  input: MessageInitShape<typeof ListCertificatesRequestSchema>;
  total: number;
}

/** What can be done with the list as it is filtered. */
export function ListMenu({ values, set, input, total }: ListMenuProps) {
  const method = CertificateService.method.listCertificates;
  const save = (format: "csv" | "ndjson") => {
    const { page: _, perPage: __, cursor: ___, $typeName: ____, ...filter } = input;
    const saved = downloadStream(
      CertificateService.method.exportCertificates,
      filter,
      "certificates",
      format,
    );
    void saved.catch((error) => toast(messageOf(error)));
  };
  const copy = (text: string, what: string) =>
    void navigator.clipboard.writeText(text).then(() => toast(`Copied ${what}`));
  return (
    <>
      <Menu trigger={<Button icon={Columns3}>Columns</Button>}>
        {optionalColumns.map((column) => (
          <MenuCheckbox
            key={column}
            isChecked={!values.cols.includes(column)}
            onChange={(isShown) =>
              set({
                cols: isShown ? values.cols.filter((each) => each !== column) : [...values.cols, column],
              })
            }
          >
            {sentence(column.charAt(0).toUpperCase() + column.slice(1))}
          </MenuCheckbox>
        ))}
      </Menu>
      <Menu trigger={<IconButton icon={Ellipsis} label="More" kind="default" />}>
        <MenuLabel>This list</MenuLabel>
        <MenuItem icon={SquareTerminal} onSelect={() => copy(asCommand(method, input), "the command")}>
          Copy as certctl
        </MenuItem>
        <MenuItem
          icon={SquareTerminal}
          onSelect={() => copy(asCurl(method, input, location.origin), "the curl call")}
        >
          Copy as curl
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={Download} onSelect={() => save("csv")}>
          Export {countText(total, "certificate")} as CSV
        </MenuItem>
        <MenuItem icon={Download} onSelect={() => save("ndjson")}>
          Export as lines of JSON
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={Archive} onSelect={() => set({ archived: !values.archived, page: 1 })}>
          {values.archived ? "Show the live ones" : "Show archived ones"}
        </MenuItem>
        <MenuItem icon={Link2} onSelect={() => copy(location.href, "the link")}>
          Copy the link
        </MenuItem>
      </Menu>
    </>
  );
}
