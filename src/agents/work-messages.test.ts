import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { AgentWorkService, file_certctl_v1_agent_work } from "#gen/certctl/v1/agent_work_pb.ts";

/** A message and all that it can carry. */
function reachable(message: DescMessage, found = new Set<DescMessage>()): Set<DescMessage> {
  if (found.has(message)) return found;
  found.add(message);
  for (const field of message.fields) if (field.message) reachable(field.message, found);
  return found;
}

const spoken = AgentWorkService.methods.flatMap(({ input, output }) => [input, output]);
const nested = (message: DescMessage): DescMessage[] => [message, ...message.nestedMessages.flatMap(nested)];
const messages = new Set([
  ...file_certctl_v1_agent_work.messages.flatMap(nested),
  ...spoken.flatMap((message) => [...reachable(message)]),
]);
const fields = [...messages].flatMap((message) => message.fields);

function isBytes(field: DescField): boolean {
  return "scalar" in field && field.scalar === ScalarType.BYTES;
}

describe("what agents and the control plane say to each other", () => {
  test("is all looked at", () => {
    expect([...messages].map(({ typeName }) => typeName)).toEqual(
      expect.arrayContaining([
        "certctl.v1.SubmitCsrRequest",
        "certctl.v1.DeployCertificate",
        "certctl.v1.ReportResultRequest.Succeeded",
        "google.protobuf.Struct",
      ]),
    );
  });

  test("has no place for a private key", () => {
    const suspect = /private|key_pem|pkcs8|secret|password/i;
    const named = [...fields, ...messages].filter(({ name }) => suspect.test(name));
    expect(named.map(({ name }) => name)).toEqual([]);
  });

  test("has no place for bytes that nobody reads", () => {
    expect(fields.filter(isBytes).map(({ name }) => name)).toEqual([]);
  });
});
