import { expect, test } from "vitest";
import { acme } from "./acme.ts";
import { readProblem } from "./problem.ts";
import {
  type AuthorizationState,
  closeOrder,
  type OrderState,
  type PlacedOrder,
  storedState,
} from "./state.ts";

const problem = readProblem({
  type: "urn:ietf:params:acme:error:dns",
  detail: "no such name",
  status: 400,
  subproblems: [
    { type: "urn:ietf:params:acme:error:caa", detail: "forbidden", identifier: { value: "b.example" } },
  ],
});

function authorization(
  type: string,
  identifier: string,
  changes: Partial<AuthorizationState> = {},
): AuthorizationState {
  const challenges = [
    { type, url: "https://ca.example/chall/1", status: "invalid", problem },
    { type: "other-01", url: "https://ca.example/chall/2", status: "pending", problem: null },
  ];
  const url = "https://ca.example/authz/1";
  return { url, identifier, isWildcard: false, status: "invalid", challenges, ...changes };
}

const placed: PlacedOrder = {
  url: "https://ca.example/order/1",
  status: "invalid",
  isFinalizing: false,
  isReplacement: false,
  problem,
  authorizations: [authorization("http-01", "a.example")],
  placedAt: "2030-06-01T12:00:00.000Z",
};

const describe = (state: OrderState) => acme.describeOrders?.(storedState(state)) ?? [];
const placesOf = (...authorizations: AuthorizationState[]) =>
  describe({ open: { ...placed, authorizations }, closed: [] }).flatMap((order) =>
    order.authorizations.map(({ challenges }) => challenges[0]?.lookedAt),
  );

test("orders are told oldest first, those that came to nothing with the CA's problem documents", () => {
  const next = { ...placed, url: "https://ca.example/order/2", status: "pending", problem: null };
  const told = describe({ ...closeOrder({ open: placed, closed: [] }), open: next });
  const said = {
    ...{ type: "dns", detail: "no such name", status: 400 },
    subproblems: [{ identifier: "b.example", type: "caa", detail: "forbidden" }],
  };
  const authorizations = [
    {
      ...{ identifier: "a.example", wildcard: false, status: "invalid" },
      challenges: [
        {
          ...{ type: "http-01", status: "invalid", problem: said },
          lookedAt: "http://a.example/.well-known/acme-challenge/",
        },
        { type: "other-01", status: "pending", lookedAt: "", problem: undefined },
      ],
    },
  ];
  const at = new Date("2030-06-01T12:00:00Z");
  expect(told).toEqual([
    { url: placed.url, status: "invalid", placedAt: at, closed: true, problem: said, authorizations },
    { url: next.url, status: "pending", placedAt: at, closed: false, problem: undefined, authorizations },
  ]);
  expect(describe({ open: null, closed: [] })).toEqual([]);
});

test("it is told where the CA looks", () => {
  expect(
    placesOf(
      authorization("dns-01", "a.example", { isWildcard: true }),
      authorization("tls-alpn-01", "a.example"),
      authorization("http-01", "2001:db8::1"),
      authorization("later-02", "a.example"),
    ),
  ).toEqual([
    "_acme-challenge.a.example TXT",
    "a.example:443",
    "http://[2001:db8::1]/.well-known/acme-challenge/",
    "",
  ]);
});

test.each(["ready", "processing", "valid"])("names are valid once an order is %s", (status) => {
  const pending = authorization("http-01", "a.example", { status: "pending" });
  const [order] = describe({ open: { ...placed, status, authorizations: [pending] }, closed: [] });
  expect(order?.authorizations).toMatchObject([{ status: "valid", challenges: [{ status: "invalid" }] }]);
});

test("a problem without a detail is told by its title, and one with no sound status by none", () => {
  expect(readProblem({ title: "Too much", status: 99_999 })).toMatchObject({ detail: "Too much", status: 0 });
});
