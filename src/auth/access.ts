import type { DescService } from "@bufbuild/protobuf";
import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { access } from "#gen/certctl/v1/options_pb.ts";
import { denied, unauthenticated } from "../platform/errors.ts";
import { isRestricted } from "./grants.ts";
import type { Operator, Principal } from "./principal.ts";
import { holdsPermission, isRestrictable, permissions } from "./roles.ts";

/** Who may call a method. */
export type Access = { who: "public" } | { who: "agent" } | { who: "permission"; permission: string };

/** The access that the method's proto declares. Throws for a method that declares none: nothing is open by omission. */
export function accessOf(method: DescMethod): Access {
  const { who } = hasOption(method, access) ? getOption(method, access) : { who: { case: undefined } };
  if (who.case === "public" && who.value) return { who: "public" };
  if (who.case === "agent" && who.value) return { who: "agent" };
  if (who.case === "permission" && /^[a-z-]+:[a-z]+$/.test(who.value))
    return { who: "permission", permission: who.value };
  throw new Error(`${method.parent.typeName}.${method.name} does not say who may call it (option access)`);
}

/** Throws if any method of the services declares no access. */
export function requireDeclaredAccess(services: readonly DescService[]): void {
  for (const service of services) service.methods.forEach(accessOf);
}

/** Default deny: lets a call pass only if its method's access covers the caller. */
export function authorize(principal: Principal | null, method: DescMethod): void {
  const wanted = accessOf(method);
  if (wanted.who === "public") return;
  if (!principal)
    throw unauthenticated("this call needs an API key (Authorization: Bearer …) or an agent's certificate");
  if (wanted.who === "agent" && principal.kind !== "agent") throw denied("only agents may call this");
  if (wanted.who === "permission" && !holds(principal, wanted.permission)) {
    throw denied(`${principal.id} lacks the permission ${wanted.permission}`);
  }
}

/** What the caller may use at all; what it reaches with it, its grants say. */
export function heldPermissions(operator: Operator): string[] {
  return permissions.filter((permission) => holds(operator, permission));
}

/** Whether the caller has the permission: by its role, and where its grants are restricted, for what keeps to them. */
export function holds(principal: Principal, permission: string): boolean {
  if (principal.kind === "agent" || !holdsPermission(principal.role, permission)) return false;
  return !isRestricted(principal.grants) || isRestrictable(permission);
}
