import type { z } from "zod";
import type { Egress } from "../platform/egress.ts";

/** What there is to tell. The same notice may be told twice, when it is not known whether it arrived: its id stays. */
export interface Notice {
  /** "ntf-…". */
  id: string;
  /** "CertificateExpiring". */
  type: string;
  severity: "Info" | "Warning" | "Critical";
  /** Whether something is wrong, whether what was wrong no longer is, or neither. */
  effect: "trigger" | "resolve" | "inform";
  /** One line. */
  subject: string;
  /** Sentences for people. */
  message: string;
  facts: readonly Fact[];
  /** What belongs to one certificate or agent has one thread. */
  threadKey: string;
  /** What a trigger and its resolve have in common. */
  incidentKey: string;
  /** An e-mail address; empty for kinds that need none. */
  recipient: string;
  at: Date;
}

export interface Fact {
  /** "Valid until". */
  name: string;
  value: string;
}

export interface NotifierContext {
  signal: AbortSignal;
  egress: Egress;
  now: Date;
}

/** A way to tell people. One file per kind; see slack.ts. */
export interface Notifier<Config = unknown> {
  /** Stored in the database, shown in the API: never renamed. */
  readonly kind: string;
  readonly title: string;
  /** Secrets and destinations bear their marks: see connectors/fields.ts. */
  readonly config: z.ZodType<Config>;
  /** Whether a notice goes to an e-mail address; the others go where the configuration says. */
  readonly isAddressed: boolean;
  /** Whether it keeps incidents, which are to be closed when what was wrong no longer is. */
  readonly keepsIncidents: boolean;
  /**
   * Tells it. Returns what the other side said to it, in one line; throws when it did not take it, with a message in its words
   * and fit to be shown: no secret, no raw body.
   */
  send(notice: Notice, config: Config, context: NotifierContext): Promise<string>;
}

/** Infers the configuration's type from its schema, then hides it: callers hold JSON only. */
export function defineNotifier<Config>(notifier: Notifier<Config>): Notifier {
  return {
    ...notifier,
    send: async (notice, config, context) => notifier.send(notice, notifier.config.parse(config), context),
  };
}

/** The other side did not take a notice; the message is in its words. */
export class NotifierError extends Error {}
