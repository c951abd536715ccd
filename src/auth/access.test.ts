import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, createFileRegistry, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { refusalOf } from "../../test/fixtures.ts";
import { accessOf, authorize, requireDeclaredAccess } from "./access.ts";
import { unrestricted } from "./grants.ts";
import type { Principal } from "./principal.ts";
import { permissions } from "./roles.ts";

const root = join(import.meta.dirname, "../..");

/** Every service of the contract, found in what is generated from it. */
async function services(): Promise<DescService[]> {
  const folder = join(root, "gen/certctl/v1");
  const names = (await readdir(folder)).filter((name) => name.endsWith("_pb.ts"));
  const modules = await Promise.all(names.map((name) => import(join(folder, name))));
  const descriptors = modules.flatMap((module) => Object.values<{ kind?: string }>(module));
  return descriptors.filter((descriptor): descriptor is DescService => descriptor.kind === "service");
}

const operator: Principal = { kind: "operator", id: "ak-1", role: "admin", grants: unrestricted };
const agent: Principal = {
  kind: "agent",
  id: "ag-1",
  credential: { kind: "api_key", id: "ak-2", notAfter: null },
};
const { getTrustBundle, heartbeat } = AgentWorkService.method;
const { listCertificates, createCertificate } = CertificateService.method;
const { createAgent } = AgentService.method;

describe("the contract", async () => {
  const all = await services();
  const methods = all.flatMap((service) => service.methods);

  test("has the services that the product is made of", () => {
    expect(all.length).toBeGreaterThanOrEqual(6);
    expect(methods.length).toBeGreaterThan(25);
  });

  test.each(methods.map((method) => [`${method.parent.name}.${method.name}`, method] as const))(
    "says who may call %s",
    (_name, method) => {
      expect(["public", "agent", "permission"]).toContain(accessOf(method).who);
    },
  );

  test("asks for no permission that the roles do not know", () => {
    const asked = methods
      .map(accessOf)
      .flatMap((access) => (access.who === "permission" ? [access.permission] : []));
    expect(asked.filter((permission) => !permissions.includes(permission))).toEqual([]);
  });

  test("opens to everybody only what agents and people need before they are known", () => {
    const open = methods.filter((method) => accessOf(method).who === "public").map(({ name }) => name);
    expect(open.sort()).toEqual(["CreateSession", "DeleteSession", "Enroll", "GetTrustBundle"]);
  });

  test("is served whole", async () => {
    const app = await readFile(join(root, "src/app.ts"), "utf8");
    const isServed = (name: string) => new RegExp(`router\\.service\\(\\s*${name},`).test(app);
    expect(all.map(({ name }) => name).filter((name) => !isServed(name))).toEqual([]);
  });
});

describe("a service that forgets to say who may call it", () => {
  const file = create(FileDescriptorProtoSchema, {
    name: "forgetful.proto",
    package: "test",
    syntax: "proto3",
    messageType: [{ name: "Nothing" }],
    service: [
      {
        name: "Forgetful",
        method: [{ name: "Open", inputType: ".test.Nothing", outputType: ".test.Nothing" }],
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService("test.Forgetful") as DescService;

  test("is refused at start, and at the call", () => {
    const problem = "test.Forgetful.Open does not say who may call it (option access)";
    expect(() => requireDeclaredAccess([CertificateService, service])).toThrow(problem);
    expect(() => authorize(operator, service.methods[0] as DescMethod)).toThrow(problem);
  });
});

describe("a call", () => {
  const attempt = (principal: Principal | null, method: DescMethod) =>
    refusalOf((async () => authorize(principal, method))());

  test("of a public method needs no credential", () => {
    for (const principal of [null, operator, agent])
      expect(() => authorize(principal, getTrustBundle)).not.toThrow();
  });

  test("of any other method needs one", async () => {
    for (const method of [heartbeat, listCertificates]) {
      expect(await attempt(null, method)).toMatchObject({ code: "Unauthenticated" });
    }
  });

  test("of an agent's method is refused to an operator", async () => {
    expect(await attempt(operator, heartbeat)).toMatchObject({ code: "PermissionDenied" });
    expect(() => authorize(agent, heartbeat)).not.toThrow();
  });

  test("of an operator's method is refused to an agent, naming the permission", async () => {
    const refusal = await attempt(agent, listCertificates);
    expect(refusal).toMatchObject({
      code: "PermissionDenied",
      message: "ag-1 lacks the permission certificates:read",
    });
    expect(() => authorize(operator, listCertificates)).not.toThrow();
  });

  test("is allowed by the role, and to a restricted key only where objects are checked", async () => {
    const grants = { teamIds: ["t-a"], issuerIds: [] };
    const viewer: Principal = { kind: "operator", id: "ak-3", role: "viewer", grants };
    expect(() => authorize(viewer, listCertificates)).not.toThrow();
    expect(await attempt(viewer, createCertificate)).toMatchObject({
      message: "ak-3 lacks the permission certificates:write",
    });
    const team: Principal = { ...viewer, role: "operator" };
    expect(() => authorize(team, createCertificate)).not.toThrow();
    const whole: Principal = { ...team, grants: unrestricted };
    expect(() => authorize(whole, createAgent)).not.toThrow();
    expect(await attempt(team, createAgent)).toMatchObject({ code: "PermissionDenied" });
  });
});
