import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type ApiKey,
  ApiKeyRoleSchema,
  ApiKeySchema,
  type ApiKeyService,
  ApiKeyStatusSchema,
  type IssuedApiKey,
  IssuedApiKeySchema,
} from "#gen/certctl/v1/api_keys_pb.ts";
import type { ApiKey as ApiKeyRow } from "#gen/prisma/client.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { Role } from "../auth/roles.ts";
import { notFound } from "../platform/errors.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import { expireApiKey, revokeApiKey, rotateApiKey } from "./change.ts";
import { type ApiKeyDeps, createApiKey } from "./create.ts";
import { type ApiKeyView, findApiKey, listApiKeys } from "./view.ts";

const roleWords = wordsOf(ApiKeyRoleSchema);
const statusWords = wordsOf(ApiKeyStatusSchema);

export function apiKeyService(deps: ApiKeyDeps): ServiceImpl<typeof ApiKeyService> {
  const { db, clock } = deps;

  async function read(id: string, context: HandlerContext): Promise<ApiKey> {
    const view = await findApiKey(db, callerOf(context).grants, id, clock());
    if (!view) throw notFound("API key", id);
    return message(view);
  }

  return {
    async listApiKeys(request, context) {
      const filter = {
        roles: request.role.map(roleWords.text),
        statuses: request.status.map(statusWords.text),
        agentId: request.agentId,
      };
      const { grants } = callerOf(context);
      const { rows, ...page } = await listApiKeys(db, grants, { ...request, filter, now: clock() });
      return { ...page, data: rows.map(message) };
    },
    async getApiKey({ id }, context) {
      return { apiKey: await read(id, context) };
    },
    async createApiKey(request, context) {
      const role = roleWords.text(request.role) as Role;
      const expiresAt = request.expiresAt ? timestampDate(request.expiresAt) : null;
      return { apiKey: issued(await createApiKey(deps, callerOf(context), { ...request, role, expiresAt })) };
    },
    async rotateApiKey(request, context) {
      return { apiKey: issued(await rotateApiKey(deps, callerOf(context), request)) };
    },
    async expireApiKey(request, context) {
      const expiresAt = request.expiresAt ? timestampDate(request.expiresAt) : null;
      await expireApiKey(deps, callerOf(context), { id: request.id, expiresAt });
      return { apiKey: await read(request.id, context) };
    },
    async deleteApiKey({ id }, context) {
      await revokeApiKey(deps, callerOf(context), id);
      return {};
    },
  };
}

function message(view: ApiKeyView): ApiKey {
  const { expiresAt, revokedAt, rotatedAt, oldSecretEndsAt, lastUsedAt } = view;
  return create(ApiKeySchema, {
    id: view.id,
    name: view.name,
    role: roleWords.value(view.role),
    status: statusWords.value(view.status),
    agentId: view.agentId ?? "",
    teamIds: view.teamIds,
    issuerIds: view.issuerIds,
    createdAt: timestampFromDate(view.createdAt),
    ...timestamps({ expiresAt, revokedAt, rotatedAt, oldSecretEndsAt, lastUsedAt }),
  });
}

function issued({ key, token }: { key: ApiKeyRow; token: string }): IssuedApiKey {
  const { expiresAt, oldSecretEndsAt } = key;
  return create(IssuedApiKeySchema, {
    id: key.id,
    name: key.name,
    role: roleWords.value(key.role),
    agentId: key.agentId ?? "",
    teamIds: key.teamIds,
    issuerIds: key.issuerIds,
    createdAt: timestampFromDate(key.createdAt),
    ...timestamps({ expiresAt, oldSecretEndsAt }),
    apiKey: token,
  });
}
