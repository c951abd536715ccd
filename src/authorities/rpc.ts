import type { ServiceImpl } from "@connectrpc/connect";
import { type Authority, type AuthorityService, KeyPlace } from "#gen/certctl/v1/authorities_pb.ts";
import { KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { notFound } from "../platform/errors.ts";
import { wordsOf } from "../platform/words.ts";
import { createAuthority, readNameLimits } from "./create.ts";
import { importAuthority, installAuthority } from "./install.ts";
import type { AuthorityDeps } from "./keep.ts";
import { authorityMessage } from "./message.ts";
import { exportAuthorityKey, restoreAuthorityKey, takeAuthorityOffline } from "./offline.ts";
import { rotateAuthority } from "./rotate.ts";
import { findAuthority, listAuthorities } from "./view.ts";

const keyWords = wordsOf(KeyAlgorithmSchema);

export function authorityService(deps: AuthorityDeps): ServiceImpl<typeof AuthorityService> {
  const { db, issuing, clock } = deps;
  const surroundings = () => ({ now: clock(), pkiUrl: issuing.pkiUrl });

  async function read(id: string): Promise<{ authority: Authority }> {
    const view = await findAuthority(db, id, clock());
    if (!view) throw notFound("authority", id);
    return { authority: authorityMessage(view, surroundings()) };
  }

  return {
    async listAuthorities(request) {
      const { rows, ...page } = await listAuthorities(db, request, clock());
      return { ...page, data: rows.map((view) => authorityMessage(view, surroundings())) };
    },
    async getAuthority({ id }) {
      return read(id);
    },
    async createAuthority(request, context) {
      const { id, name, issuerId, parentId, validityDays, pathLength } = request;
      const keyAlgorithm = keyWords.text(request.keyAlgorithm);
      const names = readNameLimits(request.names);
      const isInToken = request.keyPlace === KeyPlace.PKCS11;
      const facts = { id, name, issuerId, parentId, keyAlgorithm, validityDays, pathLength };
      const wanted = { ...facts, names, isInToken };
      return read(await createAuthority(deps, callerOf(context), wanted));
    },
    async importAuthority(request, context) {
      return read(await importAuthority(deps, callerOf(context), request));
    },
    async installAuthority(request, context) {
      await installAuthority(deps, callerOf(context), request);
      return read(request.id);
    },
    async rotateAuthority({ id }, context) {
      return read(await rotateAuthority(deps, callerOf(context), id));
    },
    async exportAuthorityKey(request, context) {
      return exportAuthorityKey(deps, callerOf(context), request);
    },
    async takeAuthorityOffline(request, context) {
      await takeAuthorityOffline(deps, callerOf(context), request);
      return read(request.id);
    },
    async restoreAuthorityKey({ id, privateKeyPem, passphrase }, context) {
      await restoreAuthorityKey(deps, callerOf(context), { id, privateKeyPem, passphrase });
      return read(id);
    },
  };
}
