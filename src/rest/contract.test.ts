import { readdir } from "node:fs/promises";
import { type DescField, type DescFile, type DescMessage, hasOption } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { http } from "#gen/google/api/annotations_pb.ts";
import { wordOf } from "../platform/words.ts";
import { startGateway } from "./gateway-fixture.ts";
import { isWellKnown, scalars } from "./json.ts";

/** Every service of the contract: a new proto file is held to this, too. */
const services = (await contractFiles()).flatMap((file) => file.services);

async function contractFiles(): Promise<DescFile[]> {
  const folder = new URL("../../gen/certctl/v1/", import.meta.url);
  const modules = await Promise.all(
    (await readdir(folder)).map((name) => import(new URL(name, folder).href) as Promise<object>),
  );
  return modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, value]) => (name.startsWith("file_") ? [value as DescFile] : [])),
  );
}

/** The fields of every message that REST shows. */
function visibleFields(): DescField[] {
  const seen = new Set<DescMessage>();
  const visit = (desc: DescMessage) => {
    if (seen.has(desc) || isWellKnown(desc)) return;
    seen.add(desc);
    for (const { message } of desc.fields) if (message) visit(message);
  };
  for (const method of services.flatMap((service) => service.methods)) {
    if (!hasOption(method, http)) continue;
    visit(method.input);
    visit(method.output);
  }
  return Array.from(seen, (desc) => desc.fields).flat();
}

describe("the contract's REST side", () => {
  test("binds every method of every service", async () => {
    expect(services.map(({ name }) => name)).toContain("CertificateService");
    const routes = (router: ConnectRouter) => {
      for (const service of services) router.service(service, {});
    };
    await using gateway = await startGateway({ routes });
    const answer = await gateway.h1("GET /api/v1/certificates/mc-1");
    expect(answer.json).toMatchObject({ code: "unimplemented" });
  });

  test("shows only scalars that JSON can hold: none of 64 bits", () => {
    const others = visibleFields().filter(({ scalar }) => scalar !== undefined && !scalars[scalar]);
    expect(others.map(String)).toEqual([]);
  });

  test("gives the values of an enum words of their own", () => {
    const enums = new Set(visibleFields().flatMap((field) => field.enum ?? []));
    for (const desc of enums) {
      // REST has no word for what is not said.
      const spoken = desc.values.filter(({ number }) => number !== 0);
      const words = spoken.map((value) => wordOf(value, desc));
      expect(new Set(words).size, desc.typeName).toBe(words.length);
    }
  });
});
