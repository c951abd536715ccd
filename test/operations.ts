import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** One operation of an OpenAPI document. */
export interface Operation {
  id: string;
  verb: string;
  path: string;
  /** The first part of the path below /api/v1: "certificates". */
  resource: string;
  permission: string | undefined;
  hasBody: boolean;
  /** What the request's body may hold. */
  bodyFields: string[];
  statuses: number[];
  /** Checks the body of an answer; the first problem, or null. */
  problemWith(status: number, body: unknown): string | null;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into a document of every shape
export function operationsOf(document: any): Operation[] {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  ajv.addSchema(document, "document");
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return Object.entries<any>(document.paths).flatMap(([path, verbs]) =>
    // biome-ignore lint/suspicious/noExplicitAny: as above
    Object.entries<any>(verbs).map(([verb, operation]): Operation => {
      const body = operation.requestBody?.content["application/json"].schema;
      const check = (status: number): ValidateFunction | undefined => {
        const { $ref = null } = operation.responses[status];
        const at = $ref ?? pointer("paths", path, verb, "responses", String(status));
        const answer = $ref
          ? document.components.responses[$ref.split("/").at(-1)]
          : operation.responses[status];
        if (!answer.content) return undefined;
        const [type = ""] = Object.keys(answer.content);
        const schema = `document${at}${pointer("content", type, "schema").slice(1)}`;
        return ajv.getSchema(schema) ?? ajv.compile({ $ref: schema });
      };
      return {
        id: operation.operationId,
        verb: verb.toUpperCase(),
        path,
        resource: path.split("/")[3] ?? "",
        permission: operation["x-permission"],
        hasBody: body !== undefined,
        bodyFields: Object.keys(body?.properties ?? {}),
        statuses: Object.keys(operation.responses).map(Number),
        problemWith(status, answer) {
          const validate = check(status);
          if (!validate) return answer === "" ? null : "a body where none is documented";
          return validate(answer) ? null : ajv.errorsText(validate.errors);
        },
      };
    }),
  );
}

function pointer(...parts: string[]): string {
  return `#/${parts.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
}
