import { expect, test } from "vitest";
import { acme } from "./acme.ts";
import { closeOrder, type PlacedOrder, storedState } from "./state.ts";

const placed: PlacedOrder = {
  url: "https://ca.example/order/1",
  status: "ready",
  isFinalizing: false,
  isReplacement: false,
  problem: null,
  authorizations: [],
  placedAt: "2030-06-01T12:00:00Z",
};

test("another CA may be asked until an order is finalized, and after it came to nothing", () => {
  const isCommitted = (open: PlacedOrder | null) => acme.isCommitted?.(storedState({ open, closed: [] }));
  expect(isCommitted(null)).toBe(false);
  expect(isCommitted(placed)).toBe(false);
  const finalizing = { ...placed, isFinalizing: true };
  expect(isCommitted(finalizing)).toBe(true);
  expect(acme.isCommitted?.(storedState(closeOrder({ open: finalizing, closed: [] })))).toBe(false);
});
