import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Ban, Ellipsis, RotateCw, ScrollText, TimerOff } from "lucide-react";
import { useState } from "react";
import { type ApiKey, ApiKeyService, ApiKeyStatus } from "#gen/certctl/v1/api_keys_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { serverNow } from "../../clock/now.ts";
import { usePermission } from "../../session/session.ts";
import { IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { toast } from "../../ui/toast.tsx";
import { NewSecret } from "./api-key-secret.tsx";

type Layer = "rotate" | "expire" | "revoke";

/** What can be done with a key. */
export function KeyMenu({ apiKey }: { apiKey: ApiKey }) {
  const [layer, setLayer] = useState<Layer>();
  const [secret, setSecret] = useState("");
  const navigate = useNavigate();
  const write = usePermission("api-keys:write");
  const ended = apiKey.status === ApiKeyStatus.ACTIVE ? undefined : "It has ended; create another";
  const reason = write.reason ?? ended;
  const revoked = apiKey.status === ApiKeyStatus.REVOKED ? "It is revoked" : undefined;
  const close = () => setLayer(undefined);
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label={`More for ${apiKey.name || apiKey.id}`} />}>
        <MenuItem icon={RotateCw} disabledReason={reason} onSelect={() => setLayer("rotate")}>
          Give it a new secret…
        </MenuItem>
        <MenuItem icon={TimerOff} disabledReason={reason} onSelect={() => setLayer("expire")}>
          Let it expire…
        </MenuItem>
        <MenuItem
          icon={ScrollText}
          onSelect={() => void navigate({ to: "/audit", search: { actor: apiKey.id } as never })}
        >
          What it did
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={Ban}
          isDangerous
          disabledReason={write.reason ?? revoked}
          onSelect={() => setLayer("revoke")}
        >
          Revoke it…
        </MenuItem>
      </Menu>
      {layer === "rotate" && <Rotate apiKey={apiKey} onSecret={setSecret} onClose={close} />}
      {layer === "expire" && <Expire apiKey={apiKey} onClose={close} />}
      {layer === "revoke" && <Revoke apiKey={apiKey} onClose={close} />}
      {secret && <NewSecret name={apiKey.name} secret={secret} onClose={() => setSecret("")} />}
    </>
  );
}

interface LayerProps {
  apiKey: ApiKey;
  onClose(): void;
}

const overlaps = [
  [0, "It ends at once"],
  [3_600, "For another hour"],
  [86_400, "For another day"],
  [604_800, "For another week"],
] as const;

function Rotate({ apiKey, onSecret, onClose }: LayerProps & { onSecret(secret: string): void }) {
  const [overlapSeconds, setOverlap] = useState(0);
  const queries = useQueryClient();
  const rotate = useMutation(ApiKeyService.method.rotateApiKey);
  return (
    <Confirm
      title={`Give ${apiKey.name || apiKey.id} a new secret`}
      action="Give it a new secret"
      onClose={onClose}
      onConfirm={async () => {
        const { apiKey: made } = await rotate.mutateAsync({ id: apiKey.id, overlapSeconds });
        await refresh(queries, ApiKeyService);
        onSecret(made?.apiKey ?? "");
      }}
    >
      <p>The new secret is shown once. Sessions that were begun with the old one end with it.</p>
      <Field label="The old secret is taken">
        {(field) => (
          <Select
            {...field}
            value={overlapSeconds}
            onChange={(event) => setOverlap(Number(event.target.value))}
          >
            {overlaps.map(([seconds, label]) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </Confirm>
  );
}

function Expire({ apiKey, onClose }: LayerProps) {
  const [at, setAt] = useState("");
  const queries = useQueryClient();
  const expire = useMutation(ApiKeyService.method.expireApiKey);
  return (
    <Confirm
      title={`Let ${apiKey.name || apiKey.id} expire`}
      action={at ? "Set its end" : "End it now"}
      isDangerous={!at}
      onClose={onClose}
      onConfirm={async () => {
        const moment = at ? new Date(at) : serverNow();
        await expire.mutateAsync({ id: apiKey.id, expiresAt: timestampFromDate(moment) });
        await refresh(queries, ApiKeyService);
        toast(at ? "Its end is set" : "The key has ended");
      }}
    >
      <Field label="When" hint="Empty: now. Its sessions end with it." isOptional>
        {(field) => (
          <Input
            {...field}
            type="datetime-local"
            value={at}
            onChange={(event) => setAt(event.target.value)}
          />
        )}
      </Field>
    </Confirm>
  );
}

function Revoke({ apiKey, onClose }: LayerProps) {
  const queries = useQueryClient();
  const revoke = useMutation(ApiKeyService.method.deleteApiKey);
  const name = apiKey.name || apiKey.id;
  return (
    <Confirm
      title={`Revoke ${name}`}
      action="Revoke 1 key"
      isDangerous
      typedName={name}
      onClose={onClose}
      onConfirm={async () => {
        await revoke.mutateAsync({ id: apiKey.id });
        await refresh(queries, ApiKeyService);
        toast(`${name} is revoked`);
      }}
    >
      <p>
        Every call with this key is refused from now on, for good.
        {apiKey.agentId
          ? ` Agent ${apiKey.agentId} loses its connection, unless it has a certificate.`
          : " Who is signed in with it is signed out."}
      </p>
    </Confirm>
  );
}
