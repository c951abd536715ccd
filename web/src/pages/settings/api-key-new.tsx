import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { ApiKeyService } from "#gen/certctl/v1/api_keys_pb.ts";
import { IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { NewSecret } from "./api-key-secret.tsx";
import { roleHints, roles, roleWords } from "./api-key-words.ts";
import { Reaches } from "./reaches.tsx";

const all = { perPage: 500 };

/** Makes a key and shows its secret, once. */
export function NewKey({ onClose }: { onClose(): void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("operator");
  const [agentId, setAgent] = useState("");
  const [teamIds, setTeams] = useState<readonly string[]>([]);
  const [issuerIds, setIssuers] = useState<readonly string[]>([]);
  const [expires, setExpires] = useState("");
  const queries = useQueryClient();
  const create = useMutation(ApiKeyService.method.createApiKey);
  const isAgents = role === "agent";
  const agents = useQuery(AgentService.method.listAgents, all, { enabled: isAgents }).data?.data ?? [];
  const teams = useQuery(TeamService.method.listTeams, all).data?.data ?? [];
  const issuers = useQuery(IssuerService.method.listIssuers, all).data?.data ?? [];
  const isRestrictable = !isAgents && role !== "auditor";
  const { error } = create;
  if (create.data?.apiKey)
    return <NewSecret name={name} secret={create.data.apiKey.apiKey} onClose={onClose} />;
  return (
    <FormDialog
      title="Create an API key"
      action="Create API key"
      onClose={onClose}
      error={error}
      isPending={create.isPending}
      onSubmit={async () => {
        await create.mutateAsync({
          name,
          role: roleWords.value(role),
          agentId: isAgents ? agentId || agents[0]?.id || "" : "",
          teamIds: isRestrictable ? [...teamIds] : [],
          issuerIds: isRestrictable ? [...issuerIds] : [],
          ...(expires ? { expiresAt: timestampFromDate(new Date(expires)) } : {}),
        });
        await refresh(queries, ApiKeyService);
      }}
    >
      <Field label="Name" hint="Who or what calls with it" error={wrongWith(error, "name")}>
        {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Role" hint={roleHints[role]} error={wrongWith(error, "role")}>
        {(ids) => (
          <Select {...ids} value={role} onChange={(event) => setRole(event.target.value)}>
            {roles.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {isAgents && (
        <Field label="Agent" error={wrongWith(error, "agent_id")}>
          {(ids) => (
            <Select {...ids} value={agentId} onChange={(event) => setAgent(event.target.value)}>
              {agents.map(({ id }) => (
                <option key={id} value={id}>
                  {id}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      {isRestrictable && (
        <>
          <Reaches
            label="Teams"
            none="Certificates of every team"
            options={teams}
            chosen={teamIds}
            onChange={setTeams}
            error={wrongWith(error, "team_ids")}
          />
          <Reaches
            label="Issuers"
            none="Certificates of every issuer"
            options={issuers}
            chosen={issuerIds}
            onChange={setIssuers}
            error={wrongWith(error, "issuer_ids")}
          />
        </>
      )}
      <Field label="Expires" hint="Empty: never" isOptional error={wrongWith(error, "expires_at")}>
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            value={expires}
            onChange={(event) => setExpires(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}
