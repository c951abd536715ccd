/** How much of a CA's rate limits the orders of one account may use; 0: no bound. */
export interface Budget {
  /** Where the account is: what was ordered elsewhere is not counted. */
  account: string;
  /** Orders in 3 hours. */
  orders: number;
  /** Certificates in 7 days for names below one registered domain. */
  perDomain: number;
  /** Certificates in 7 days for exactly the same names. */
  perNameSet: number;
}

/** An order as far as budgets count it. */
export interface OrderPlace {
  keyId: string;
  /** Registered domains. */
  domains: readonly string[];
  /** All names, sorted, with spaces between. */
  nameSet: string;
  /** It replaces another certificate, by ARI: no certificate limit counts it. */
  isReplacement: boolean;
}

/** What an issuer has left to order. */
export interface OrderBudget {
  /**
   * Commits that an order is about to be placed; of two that want the last place, one gets it. Throws IssuerError, saying when
   * there is room again, without one.
   */
  take(place: OrderPlace, budget: Budget): Promise<void>;
  /** No certificate came of what was ordered for a key: only the orders count it any more. */
  release(keyId: string): Promise<void>;
}

const hour = 3_600_000;

/** How long a CA remembers. */
export const budgetWindows = { orders: 3 * hour, certificates: 7 * 24 * hour };
