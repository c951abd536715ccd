import { email } from "./email.ts";
import type { Notifier } from "./notifier.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { webhook } from "./webhook.ts";

/** Every kind of notifier, in the order in which it is offered. A new kind is added here. */
export const notifiers: readonly Notifier[] = [email, webhook, slack, teams, pagerduty, opsgenie];

export const notifierByKind: ReadonlyMap<string, Notifier> = new Map(
  notifiers.map((notifier) => [notifier.kind, notifier]),
);
