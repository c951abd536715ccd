import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, test } from "vitest";
import { createInvalidation } from "./invalidate.ts";

const keyOf = (service: string, id = "") => [
  "connect-query",
  { serviceName: `certctl.v1.${service}`, input: { id } },
];

/** A query that somebody looks at, answered when the test says so. */
function shown(queries: QueryClient, queryKey: readonly unknown[], meta: Record<string, unknown> = {}) {
  const asked: PromiseWithResolvers<number>[] = [];
  const queryFn = () => {
    const answer = Promise.withResolvers<number>();
    asked.push(answer);
    return answer.promise;
  };
  const observer = new QueryObserver(queries, { queryKey, queryFn, meta, staleTime: Infinity });
  return {
    asked,
    answer: () => asked.at(-1)?.resolve(asked.length),
    close: observer.subscribe(() => {}),
  };
}

const change = (topic: string, id = "") => ({ topic, id });

describe("changes", () => {
  test("that come together have what they concern asked again once, and nothing else", async () => {
    const queries = new QueryClient();
    const invalidation = createInvalidation(queries);
    const [teams, jobs] = [shown(queries, keyOf("TeamService")), shown(queries, keyOf("JobService"))];
    const counted = shown(queries, keyOf("TeamService", "counted"), { isLive: false });
    for (const query of [teams, jobs, counted]) query.answer();
    await expect.poll(() => queries.isFetching()).toBe(0);
    for (let index = 0; index < 50; index += 1) invalidation.add(change("teams", `t-${index}`));
    await expect.poll(() => teams.asked.length).toBe(2);
    teams.answer();
    await expect.poll(() => queries.isFetching()).toBe(0);
    expect([teams, jobs, counted].map(({ asked }) => asked.length)).toEqual([2, 1, 1]);
    invalidation.all();
    await expect.poll(() => jobs.asked.length).toBe(2);
    for (const query of [teams, jobs, counted]) query.close();
  });

  test("during a slow answer wait for it, and then are asked for", async () => {
    const queries = new QueryClient();
    const invalidation = createInvalidation(queries);
    const teams = shown(queries, keyOf("TeamService"));
    teams.answer();
    await expect.poll(() => queries.isFetching()).toBe(0);
    invalidation.add(change("teams"));
    await expect.poll(() => teams.asked.length).toBe(2);
    invalidation.add(change("teams"));
    invalidation.add(change("teams"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(teams.asked.length).toBe(2);
    teams.answer();
    await expect.poll(() => teams.asked.length).toBe(3);
    teams.answer();
    teams.close();
  });
});
