import { createNotifier } from "../src/notifiers/manage.ts";
import { newId } from "../src/platform/ids.ts";
import { createRenewalPolicy } from "../src/renewal-policies/manage.ts";
import { type ControlPlane, operator } from "./fixtures.ts";

/** A webhook to a receiver on loopback; its id. */
export async function newWebhook(
  plane: ControlPlane,
  { url, ca }: { url: string; ca: string | undefined },
  enabled = true,
): Promise<string> {
  return createNotifier(plane, operator, {
    id: "",
    name: newId("hook"),
    kind: "webhook",
    config: { url, secret: "a secret of the receiver", ...(ca === undefined ? {} : { ca }) },
    enabled,
    defaultRecipient: "",
  });
}

/** A notifier of any kind; its id. */
export async function newNotifier(
  plane: ControlPlane,
  kind: string,
  config: Parameters<typeof createNotifier>[2]["config"],
  defaultRecipient = "",
): Promise<string> {
  const wanted = { id: "", name: newId("channel"), kind, config, enabled: true, defaultRecipient };
  return createNotifier(plane, operator, wanted);
}

/** A renewal policy with these channels; its id. */
export async function newPolicy(
  { db }: ControlPlane,
  channels: Parameters<typeof createRenewalPolicy>[2]["channels"],
  changes: { autoRenew?: boolean; healDrift?: boolean; alertThresholdsDays?: number[] } = {},
): Promise<string> {
  return createRenewalPolicy(db, operator, {
    id: "",
    name: newId("policy"),
    renewalWindowDays: 0,
    alertThresholdsDays: [],
    channels,
    ...changes,
  });
}
