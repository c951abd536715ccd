import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { EventSchema, type EventService } from "#gen/certctl/v1/events_pb.ts";
import { heldPermissions } from "../auth/access.ts";
import { isRestricted } from "../auth/grants.ts";
import { recheckKey } from "../auth/interceptor.ts";
import { principalKey } from "../auth/principal.ts";
import { unauthenticated } from "../platform/errors.ts";
import type { Feed } from "./feed.ts";
import { type Told, type WatchTimes, watch, watchTimes } from "./watch.ts";

export function eventService(deps: {
  feed: Feed;
  clock: () => Date;
  times?: WatchTimes;
}): ServiceImpl<typeof EventService> {
  const { feed, clock, times = watchTimes } = deps;
  return {
    async *watch({ afterCursor, topics }, { values, signal }) {
      const principal = values.get(principalKey);
      if (principal?.kind !== "operator") throw unauthenticated("a credential is needed");
      const permissions = new Set(heldPermissions(principal));
      const recheck = values.get(recheckKey);
      const told = watch({
        feed,
        afterCursor,
        isWanted: (topic) =>
          permissions.has(`${topic}:read`) && (topics.length === 0 || topics.includes(topic)),
        hasIds: !isRestricted(principal.grants),
        // Whoever is signed out, or whose key ends, is told nothing more.
        async onChanges(changes) {
          const ends = changes.some(
            ({ topic, id }) =>
              (topic === "sessions" && (id === "" || id === principal.session?.id)) ||
              (topic === "api-keys" && (id === "" || id === principal.id)),
          );
          if (ends) await recheck();
        },
        times,
        signal,
      });
      for await (const each of told) yield { event: message(each, clock()) };
    },
  };
}

function message(told: Told, now: Date) {
  const { cursor } = told;
  if (told.kind === "resync") return create(EventSchema, { cursor, what: { case: "resync", value: {} } });
  if (told.kind === "heartbeat")
    return create(EventSchema, {
      cursor,
      what: { case: "heartbeat", value: { serverTime: timestampFromDate(now) } },
    });
  const { topic, id } = told;
  return create(EventSchema, { cursor, what: { case: "changed", value: { topic, id } } });
}
