import { useQuery } from "@connectrpc/connect-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { CornerDownLeft, Server, ShieldCheck, Target } from "lucide-react";
import { useDeferredValue, useEffect, useState } from "react";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { usePermission } from "../../session/session.ts";
import { CertificateBadge } from "../../status/certificate-status.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Actions } from "./actions.tsx";
import { recognize } from "./decode.ts";
import { Group, Item } from "./item.tsx";
import { PastedDetails, usePasted } from "./pasted.tsx";

const most = 6;

/** Goes anywhere by typing; finds by name, serial number and fingerprint; reads a pasted certificate or URL. */
export function Palette({ onClose }: { onClose(): void }) {
  const [typed, setTyped] = useState("");
  const pasted = recognize(useDeferredValue(typed));
  const decoded = usePasted(pasted);
  const navigate = useNavigate();
  const q =
    pasted.kind === "text"
      ? pasted.text
      : pasted.kind === "url"
        ? pasted.host
        : pasted.kind === "fingerprint"
          ? pasted.hex
          : (decoded.data?.fingerprint ?? "");
  const options = { enabled: q !== "", placeholderData: <Value,>(before: Value) => before };
  const [seesAgents, seesTargets] = [usePermission("agents:read"), usePermission("targets:read")];
  const request = { q: q.slice(0, 200), perPage: most };
  const certificates = useQuery(
    CertificateService.method.listCertificates,
    { ...request, sort: "attention" },
    options,
  );
  const agents = useQuery(AgentService.method.listAgents, request, {
    ...options,
    enabled: q !== "" && seesAgents.isAllowed,
  });
  const targets = useQuery(TargetService.method.listTargets, request, {
    ...options,
    enabled: q !== "" && seesTargets.isAllowed,
  });
  const first = certificates.data?.data[0]?.id ?? "";
  const [marked, setMarked] = useState("");
  // What is found comes late: Enter then takes the first of it, not what stood there before.
  useEffect(() => setMarked(first), [first]);
  const go = (run: () => unknown) => {
    onClose();
    run();
  };
  const found = q === "" ? [] : (certificates.data?.data ?? []);
  const total = certificates.data?.total ?? 0;
  return (
    <Dialog title="Search or jump to" onClose={onClose} shape="wide">
      <Command label="Search or jump to" shouldFilter={false} loop value={marked} onValueChange={setMarked}>
        <Command.Input
          autoFocus
          value={typed}
          onValueChange={setTyped}
          placeholder="A name, a view, a serial number, a fingerprint; or paste a certificate, a CSR or a URL"
          className="h-9 w-full rounded-control border border-line3 bg-bg0 px-3"
        />
        <PastedDetails pasted={pasted} decoded={decoded} />
        <Command.List aria-label="Results" className="mt-2 max-h-[50dvh] overflow-y-auto">
          <Command.Empty className="px-2 py-4 text-fg2">
            {certificates.isFetching ? "Looking…" : "Nothing found"}
          </Command.Empty>
          {found.length > 0 && (
            <Group heading="Certificates">
              {found.map(({ id, name, commonName, status, schedule }) => (
                <Item
                  key={id}
                  value={id}
                  icon={ShieldCheck}
                  hint={<CertificateBadge status={status} schedule={schedule} />}
                  onSelect={() => go(() => navigate({ to: "/certificates/$id", params: { id } }))}
                >
                  {name} <span className="text-fg2">{commonName !== name && commonName}</span>
                </Item>
              ))}
              {total > most && (
                <Item
                  value="all certificates"
                  icon={CornerDownLeft}
                  onSelect={() => go(() => navigate({ to: "/certificates", search: { q } as never }))}
                >
                  All {total} certificates that match
                </Item>
              )}
            </Group>
          )}
          {q !== "" && (
            <Found heading="Agents" icon={Server} to="/agents/$id" rows={agents.data?.data} go={go} />
          )}
          {q !== "" && (
            <Found heading="Targets" icon={Target} to="/targets/$id" rows={targets.data?.data} go={go} />
          )}
          <Actions typed={pasted.kind === "text" ? pasted.text : ""} go={go} />
        </Command.List>
      </Command>
    </Dialog>
  );
}

interface FoundProps {
  heading: string;
  icon: typeof Server;
  to: "/agents/$id" | "/targets/$id";
  rows: readonly { id: string; name: string }[] | undefined;
  go(run: () => unknown): void;
}

function Found({ heading, icon, to, rows = [], go }: FoundProps) {
  const navigate = useNavigate();
  if (rows.length === 0) return null;
  return (
    <Group heading={heading}>
      {rows.map(({ id, name }) => (
        <Item key={id} value={id} icon={icon} onSelect={() => go(() => navigate({ to, params: { id } }))}>
          {name}
        </Item>
      ))}
    </Group>
  );
}
