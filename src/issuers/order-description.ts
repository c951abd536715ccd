/** What a CA says of a failure. */
export interface ProblemDescription {
  /** The CA's word for its kind; empty: it named none. */
  type: string;
  detail: string;
  /** The HTTP status that it speaks of; 0: none. */
  status: number;
  subproblems: { identifier: string; type: string; detail: string }[];
}

/** One way to show a CA that a name is ours. */
export interface ChallengeDescription {
  type: string;
  status: string;
  /** Where the CA looks; empty: not known. */
  lookedAt: string;
  problem: ProblemDescription | undefined;
}

export interface AuthorizationDescription {
  identifier: string;
  wildcard: boolean;
  status: string;
  challenges: ChallengeDescription[];
}

/** An order at the CA, for people who look for what is wrong with it. */
export interface OrderDescription {
  url: string;
  status: string;
  placedAt: Date;
  /** It came to nothing: the next attempt places another one. */
  closed: boolean;
  problem: ProblemDescription | undefined;
  authorizations: AuthorizationDescription[];
}
