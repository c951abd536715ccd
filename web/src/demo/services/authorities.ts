import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  type Authority,
  AuthorityRole,
  AuthoritySchema,
  type AuthorityService,
  AuthorityState,
  KeyPlace,
} from "#gen/certctl/v1/authorities_pb.ts";
import { say } from "../changes.ts";
import type { World } from "../world.ts";

const dayMs = 86_400_000;

/** A root and the CA that signs for the first issuer. */
export function authoritiesDemo(world: World): Partial<ServiceImpl<typeof AuthorityService>> {
  const [issuer] = world.issuers.values();
  const rows = new Map<string, Authority>();
  const now = Date.now();
  const at = (days: number) => timestampFromDate(new Date(now + days * dayMs));
  const add = (wanted: Partial<Authority> & { id: string; name: string }) => {
    const usual = { keyPlace: KeyPlace.DATABASE, state: AuthorityState.ACTIVE, notBefore: at(-200) };
    const { $typeName: _, ...facts } = { $typeName: "", ...wanted };
    rows.set(wanted.id, create(AuthoritySchema, { ...usual, createdAt: at(-200), ...facts } as never));
  };
  const signs = { issuerId: issuer?.id ?? "", issuerName: issuer?.name ?? "" };
  add({
    id: "ca-root",
    name: "certctl issuing root",
    role: AuthorityRole.ISSUING_ROOT,
    keyAlgorithm: "ECDSA-P384",
    notAfter: at(3_400),
    pathLength: 1,
  });
  add({
    ...{ id: "ca-issuing", name: "certctl issuing CA", role: AuthorityRole.ISSUING_CA, parentId: "ca-root" },
    ...{ ...signs, keyAlgorithm: "ECDSA-P256", notAfter: at(1_600), pathLength: 0, validCertificates: 180 },
  });

  function find(id: string): Authority {
    const found = rows.get(id);
    if (!found) throw new ConnectError(`there is no authority ${id}`, Code.NotFound);
    return found;
  }
  function changed(id: string): { authority: Authority } {
    say(world, "authorities", id);
    return { authority: find(id) };
  }

  return {
    listAuthorities({ q, issuerId }) {
      const data = [...rows.values()].filter(
        (row) =>
          row.name.toLowerCase().includes(q.toLowerCase()) && (issuerId === "" || row.issuerId === issuerId),
      );
      return { data, total: data.length, page: 1, perPage: 500 };
    },
    getAuthority: ({ id }) => ({ authority: find(id) }),
    createAuthority({ name, issuerId, parentId, names }) {
      const id = `ca-${Math.random().toString(36).slice(2, 10)}`;
      const role = issuerId ? AuthorityRole.ISSUING_CA : AuthorityRole.ISSUING_ROOT;
      const isPending = issuerId !== "" && parentId === "";
      const state = isPending ? AuthorityState.PENDING : AuthorityState.ACTIVE;
      const issuerName = world.issuers.get(issuerId)?.name ?? "";
      const facts = { id, name, role, state, issuerId, issuerName, parentId, keyAlgorithm: "ECDSA-P256" };
      add({ ...facts, ...(names && { names }), ...(!isPending && { notAfter: at(1_826) }) });
      return changed(id);
    },
    importAuthority({ name, issuerId }) {
      const id = `ca-${Math.random().toString(36).slice(2, 10)}`;
      const issuerName = world.issuers.get(issuerId)?.name ?? "";
      const facts = { id, name, issuerId, issuerName, role: AuthorityRole.ISSUING_CA };
      add({ ...facts, keyAlgorithm: "ECDSA-P256", notAfter: at(1_826) });
      return changed(id);
    },
    // No key is in the demo: there is nothing to hand out, nor to remove.
    exportAuthorityKey() {
      throw new ConnectError("the demo has no keys: there is none to export", Code.FailedPrecondition);
    },
    installAuthority({ id }) {
      find(id).state = AuthorityState.ACTIVE;
      return changed(id);
    },
    rotateAuthority({ id }) {
      const before = find(id);
      const next = `${id}-next`;
      before.state = AuthorityState.OVERLAP;
      rows.set(next, {
        ...before,
        id: next,
        name: `${before.name} 2`,
        state: AuthorityState.ACTIVE,
        validCertificates: 0,
      });
      return changed(next);
    },
  };
}
