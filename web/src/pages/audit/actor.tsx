import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { Bot, Cog, KeyRound, type LucideIcon, User } from "lucide-react";
import { useMemo } from "react";
import { ApiKeyService, ApiKeyStatus } from "#gen/certctl/v1/api_keys_pb.ts";
import { ActorType, type AuditEvent } from "#gen/certctl/v1/audit_pb.ts";
import { usePermission } from "../../session/session.ts";

const icons: Readonly<Record<number, LucideIcon>> = {
  [ActorType.USER]: User,
  [ActorType.AGENT]: Bot,
  [ActorType.SYSTEM]: Cog,
  [ActorType.API_KEY]: KeyRound,
};

/** The names of API keys, by id, as far as the caller may read them. Revoked ones acted, too. */
export function useKeyNames(): ReadonlyMap<string, string> {
  const { isAllowed } = usePermission("api-keys:read");
  const status = [ApiKeyStatus.ACTIVE, ApiKeyStatus.EXPIRED, ApiKeyStatus.REVOKED];
  const keys = useQuery(ApiKeyService.method.listApiKeys, { perPage: 500, status }, { enabled: isAllowed });
  return useMemo(() => new Map(keys.data?.data.map(({ id, name }) => [id, name])), [keys.data]);
}

/** Who did it: an agent, a key by its name, certctl itself. */
export function Actor({
  event,
  names,
  isPlain = false,
}: {
  event: AuditEvent;
  names: ReadonlyMap<string, string>;
  isPlain?: boolean;
}) {
  const { actor, actorType } = event;
  const Icon = icons[actorType] ?? User;
  const name = names.get(actor) ?? (actorType === ActorType.SYSTEM ? "certctl" : actor);
  const text = <span className={name === actor ? "font-mono text-sm" : ""}>{name}</span>;
  return (
    <span className="inline-flex max-w-full items-center gap-1.5" title={actor}>
      <Icon aria-hidden size={13} className="shrink-0 text-fg2" />
      <span className="truncate">
        {actorType === ActorType.AGENT && !isPlain ? (
          <Link to="/agents/$id" params={{ id: actor }} className="inline-block leading-6 hover:underline">
            {text}
          </Link>
        ) : (
          text
        )}
      </span>
    </span>
  );
}
