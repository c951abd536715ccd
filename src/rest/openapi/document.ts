import { type DescMethod, type DescService, getOption, type JsonObject } from "@bufbuild/protobuf";
import { access } from "#gen/certctl/v1/options_pb.ts";
import { type RestRule, rulesOf } from "../binding.ts";
import { errorResponses, errorSchema } from "./errors.ts";
import { operationOf } from "./operation.ts";
import { Schemas } from "./schemas.ts";

/**
 * The OpenAPI 3.1 document of the services' REST side.
 * @param comments what the protos say of each element, by its full name
 */
export function openApiDocument(
  services: readonly DescService[],
  comments: Readonly<Record<string, string>>,
): JsonObject {
  const schemas = new Schemas(comments);
  const paths: Record<string, JsonObject> = {};
  for (const { method, rule, id } of services.flatMap(({ methods }) => methods).flatMap(rulesWithIds)) {
    const comment = comments[`${method.parent.typeName}.${method.name}`] ?? method.name;
    paths[rule.path] = {
      ...paths[rule.path],
      [rule.verb.toLowerCase()]: operationOf(method, rule, { schemas, comment, id }),
    };
  }
  const offered = services.filter(({ methods }) => methods.some((method) => rulesOf(method).length > 0));
  return {
    openapi: "3.1.0",
    info: {
      title: "certctl",
      version: "v1",
      description:
        "The REST side of certctl's API. The protos below proto/certctl/v1 are the contract; this is made from them.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    // In the order in which the reference shows them: what people call comes before what agents do.
    tags: [...offered.filter((service) => !isForAgents(service)), ...offered.filter(isForAgents)].map(
      ({ name, typeName }) => ({
        name: name.replace(/Service$/, ""),
        description: comments[typeName] ?? name,
      }),
    ),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { Error: errorSchema, ...schemas.components },
      responses: errorResponses,
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key: ak-…_…" },
        clientCertificate: {
          type: "mutualTLS",
          description: "The certificate that an agent got by joining.",
        },
      },
    },
  };
}

/** A method's first rule has its name; the others a number, too. */
function rulesWithIds(method: DescMethod): { method: DescMethod; rule: RestRule; id: string }[] {
  return rulesOf(method).map((rule, index) => ({
    method,
    rule,
    id: index === 0 ? method.localName : `${method.localName}${index + 1}`,
  }));
}

function isForAgents({ methods }: DescService): boolean {
  return methods.some((method) => getOption(method, access).who.case === "agent");
}
