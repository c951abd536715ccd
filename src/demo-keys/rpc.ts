import type { ServiceImpl } from "@connectrpc/connect";
import type { DemoKeyService } from "#gen/certctl/v1/demo_keys_pb.ts";
import { agentOf, callerOf } from "../auth/interceptor.ts";
import type { Database } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import { fetchServerKey } from "./fetch.ts";

export function demoKeyService(deps: { db: Database; sealer: Sealer }): ServiceImpl<typeof DemoKeyService> {
  return {
    async fetchKey(request, context) {
      const caller = { principal: agentOf(context), actor: callerOf(context) };
      return { privateKeyPem: await fetchServerKey(deps, caller, request) };
    },
  };
}
