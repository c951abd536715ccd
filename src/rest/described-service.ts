import {
  create,
  createFileRegistry,
  type DescService,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  MethodOptionsSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { AccessSchema, access, success_status } from "#gen/certctl/v1/options_pb.ts";
import { http } from "#gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "#gen/google/api/http_pb.ts";

export interface DescribedMethod {
  rule?: MessageInitShape<typeof HttpRuleSchema>;
  successStatus?: number;
  isClientStream?: boolean;
}

/**
 * A service whose methods take and answer a ThingRequest, with rules that the contract itself does not use:
 *
 *     message Thing { string id = 1; string name = 2; map<string, string> labels = 3; }
 *     message ThingRequest { string id = 1; uint32 count = 2; Thing thing = 3; bytes raw = 4; }
 */
export function describedService(methods: Record<string, DescribedMethod>): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: "test/v1/things.proto",
    package: "test.v1",
    syntax: "proto3",
    messageType: [
      {
        name: "Thing",
        field: [
          field("id", 1, Type.STRING),
          field("name", 2, Type.STRING),
          { ...field("labels", 3, Type.MESSAGE, ".test.v1.Thing.LabelsEntry"), label: Label.REPEATED },
        ],
        nestedType: [
          {
            name: "LabelsEntry",
            field: [field("key", 1, Type.STRING), field("value", 2, Type.STRING)],
            options: { mapEntry: true },
          },
        ],
      },
      {
        name: "ThingRequest",
        field: [
          field("id", 1, Type.STRING),
          field("count", 2, Type.UINT32),
          field("thing", 3, Type.MESSAGE, ".test.v1.Thing"),
          field("raw", 4, Type.BYTES),
        ],
      },
    ],
    service: [
      {
        name: "ThingService",
        method: Object.entries(methods).map(([name, method]) => ({
          name,
          inputType: ".test.v1.ThingRequest",
          outputType: ".test.v1.ThingRequest",
          clientStreaming: method.isClientStream ?? false,
          options: optionsOf(method),
        })),
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService("test.v1.ThingService");
  if (!service) throw new Error("the file has no service");
  return service;
}

function field(
  name: string,
  number: number,
  type: Type,
  typeName = "",
): MessageInitShape<typeof FieldDescriptorProtoSchema> {
  return { name, number, type, label: Label.OPTIONAL, ...(typeName && { typeName }) };
}

function optionsOf({ rule, successStatus }: DescribedMethod) {
  const options = create(MethodOptionsSchema);
  setExtension(options, access, create(AccessSchema, { who: { case: "public", value: true } }));
  if (rule) setExtension(options, http, create(HttpRuleSchema, rule));
  if (successStatus !== undefined) setExtension(options, success_status, successStatus);
  return options;
}
