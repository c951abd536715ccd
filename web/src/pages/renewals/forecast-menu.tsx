import type { MessageInitShape } from "@bufbuild/protobuf";
import { Copy, FileDown, Terminal } from "lucide-react";
import {
  type GetRenewalForecastRequestSchema,
  type RenewalForecast,
  RenewalService,
} from "#gen/certctl/v1/renewals_pb.ts";
import { asCommand, asCurl } from "../../api/copy-as.ts";
import { saveFile } from "../../api/download.ts";
import { Button } from "../../ui/button.tsx";
import { useCopy } from "../../ui/copy.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";

interface ForecastMenuProps {
  forecast: RenewalForecast;
  request: MessageInitShape<typeof GetRenewalForecastRequestSchema>;
}

/** Takes the forecast elsewhere. */
export function ForecastMenu({ forecast, request }: ForecastMenuProps) {
  const [hasCopied, copy] = useCopy();
  const method = RenewalService.method.getRenewalForecast;
  return (
    <Menu trigger={<Button>{hasCopied ? "Copied" : "Export"}</Button>}>
      <MenuItem icon={FileDown} onSelect={() => saveFile(tableOf(forecast), "certctl-renewals.csv")}>
        Save as CSV
      </MenuItem>
      <MenuItem icon={Terminal} onSelect={() => copy(asCommand(method, request))}>
        Copy as command
      </MenuItem>
      <MenuItem icon={Copy} onSelect={() => copy(asCurl(method, request, location.origin))}>
        Copy as curl
      </MenuItem>
    </Menu>
  );
}

/** Dates and numbers alone: nothing that a spreadsheet could take for a formula. */
function tableOf({ days }: RenewalForecast): Blob {
  const lines = days.map(({ date, renewals, expiring }) => `${date},${renewals},${expiring}`);
  return new Blob([["date,renewals,expiring", ...lines, ""].join("\r\n")], { type: "text/csv" });
}
