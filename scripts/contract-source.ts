import {
  createFileRegistry,
  type DescEnum,
  type DescFile,
  type DescMessage,
  fromBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getComments } from "@bufbuild/protoplugin";

/**
 * Writes gen/contract.ts: every service of the contract, and what the protos' comments say of each element by its full name.
 * Generated messages have neither.
 * @param image descriptors with source information, as `buf build` writes them
 */
export function contractSource(image: Uint8Array): string {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const files = [...registry.files]
    .filter(({ proto }) => proto.package.startsWith("certctl."))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const sources = files.filter(({ services }) => services.length > 0);
  const names = sources.flatMap(({ services }) => services.map(({ name }) => name));
  const comments = Object.fromEntries(files.flatMap(commentsOf));
  return `${sources.map(importLine).join("\n")}

export const services = [${names.join(", ")}] as const;

export const comments: Readonly<Record<string, string>> = ${JSON.stringify(comments, null, 2)};
`;
}

function importLine({ name, services }: DescFile): string {
  return `import { ${services.map((service) => service.name).join(", ")} } from "./${name}_pb.ts";`;
}

function commentsOf(file: DescFile): [string, string][] {
  const types = [...nestedTypes(file)];
  const messages = types.filter((type): type is DescMessage => type.kind === "message");
  const enums = types.filter((type): type is DescEnum => type.kind === "enum");
  const described = [
    ...file.services.flatMap((service) => [service, ...service.methods]),
    ...messages.flatMap((message) => [message, ...message.fields]),
    ...enums.flatMap((each) => [each, ...each.values]),
  ];
  return described.flatMap((each): [string, string][] => {
    const text = getComments(each)
      .leading?.replaceAll(/\s*\n\s*/g, " ")
      .trim();
    return text ? [[fullName(each), text]] : [];
  });
}

type Described = Exclude<Parameters<typeof getComments>[0], { kind: "oneof" | "extension" } | DescFile>;

function fullName(desc: Described): string {
  return "typeName" in desc ? desc.typeName : `${desc.parent.typeName}.${desc.name}`;
}
