import { describe, expect, test } from "vitest";
import { configSchema } from "../connectors/fields.ts";
import { notifierByKind, notifiers } from "./registry.ts";

interface Field {
  secret?: boolean;
  destination?: boolean;
}

describe.each(notifiers.map((notifier) => [notifier.kind, notifier] as const))("%s", (kind, notifier) => {
  const { properties } = configSchema(notifier.config) as unknown as { properties: Record<string, Field> };

  test("is found by its kind", () => {
    expect(notifierByKind.get(kind)).toBe(notifier);
  });

  test("marks what is secret and where it is sent to", () => {
    const marked = (mark: keyof Field) => Object.keys(properties).filter((name) => properties[name]?.[mark]);
    expect(marked("secret")).toHaveLength(1);
    const places = Object.keys(properties).filter((name) => /url|host|port|security|ca$/.test(name));
    expect(marked("destination").sort()).toEqual(places.sort());
  });

  test("refuses what it does not know", () => {
    const read = notifier.config.safeParse({ sudo: true });
    expect(JSON.stringify(read.error?.issues)).toContain("sudo");
  });
});

test.each([
  ["slack", "webhook_url", "http://hooks.slack.com/x"],
  ["slack", "webhook_url", "https://user:password@hooks.slack.com/x"],
  ["slack", "webhook_url", "hooks.slack.com/x"],
  ["webhook", "url", "ftp://example.com"],
  ["webhook", "url", "https://example.com:99999/"],
  ["webhook", "url", "https://user@example.com"],
  ["webhook", "secret", "short"],
  ["pagerduty", "routing_key", "short"],
  ["opsgenie", "url", "file:///etc/passwd"],
])("%s refuses the %s %s", (kind, field, value) => {
  const read = notifierByKind.get(kind)?.config.safeParse({ [field]: value });
  expect(read?.error?.issues.map(({ path }) => path[0])).toContain(field);
});
