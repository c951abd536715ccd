import type { DescFile } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  Edition,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
} from "@bufbuild/protobuf/wkt";

/**
 * Prints the .proto source of a descriptor that an npm package embeds, so that buf can compile what imports it.
 * Options are left out: buf needs the shapes only, and generated code imports the package's own descriptor.
 */
export function protoSource(file: DescFile): string {
  const { proto } = file;
  const isProto2 = file.edition === Edition.EDITION_PROTO2;
  const lines = [
    `syntax = "${isProto2 ? "proto2" : "proto3"}";`,
    `package ${proto.package};`,
    ...proto.dependency.map((path) => `import "${path}";`),
    ...extensions(proto.extension, isProto2),
    ...proto.enumType.flatMap(enumeration),
    ...proto.messageType.flatMap((message) => messageSource(message, isProto2)),
  ];
  return `${lines.join("\n")}\n`;
}

function messageSource(message: DescriptorProto, isProto2: boolean): string[] {
  const nested = message.nestedType.filter((type) => !type.options?.mapEntry);
  const oneofs = message.oneofDecl.flatMap((oneof, index) => {
    const members = message.field.filter((field) => inOneof(field) && field.oneofIndex === index);
    return members.length === 0 ? [] : [`oneof ${oneof.name} {`, ...members.map(declaration), "}"];
  });
  return [
    `message ${message.name} {`,
    ...message.enumType.flatMap(enumeration),
    ...nested.flatMap((type) => messageSource(type, isProto2)),
    ...message.field.filter((field) => !inOneof(field)).map((field) => plainField(field, message, isProto2)),
    ...oneofs,
    ...message.extensionRange.map((range) => `extensions ${range.start} to ${rangeEnd(range.end)};`),
    ...message.reservedRange.map((range) => `reserved ${range.start} to ${rangeEnd(range.end)};`),
    ...message.reservedName.map((name) => `reserved "${name}";`),
    ...extensions(message.extension, isProto2),
    "}",
  ];
}

function inOneof(field: FieldDescriptorProto): boolean {
  return Object.hasOwn(field, "oneofIndex") && !field.proto3Optional;
}

function plainField(field: FieldDescriptorProto, parent: DescriptorProto, isProto2: boolean): string {
  const entry = parent.nestedType.find(
    (type) => type.options?.mapEntry && field.typeName.endsWith(`.${parent.name}.${type.name}`),
  );
  const [key, value] = entry?.field ?? [];
  if (key && value) return `map<${typeName(key)}, ${typeName(value)}> ${field.name} = ${field.number};`;
  return `${label(field, isProto2)}${declaration(field)}`;
}

function label(field: FieldDescriptorProto, isProto2: boolean): string {
  if (field.label === FieldDescriptorProto_Label.REPEATED) return "repeated ";
  if (field.label === FieldDescriptorProto_Label.REQUIRED) return "required ";
  return isProto2 || field.proto3Optional ? "optional " : "";
}

function declaration(field: FieldDescriptorProto): string {
  return `${typeName(field)} ${field.name} = ${field.number};`;
}

function typeName(field: FieldDescriptorProto): string {
  if (field.typeName) return field.typeName;
  const name = Object.entries(FieldDescriptorProto_Type).find(([, number]) => number === field.type)?.[0];
  if (name === undefined) throw new Error(`field ${field.name} has the unknown type ${field.type}`);
  return name.toLowerCase();
}

function enumeration(type: EnumDescriptorProto): string[] {
  const values = type.value.map((value) => `${value.name} = ${value.number};`);
  return [`enum ${type.name} {`, ...values, "}"];
}

function extensions(fields: readonly FieldDescriptorProto[], isProto2: boolean): string[] {
  return fields.map((field) => `extend ${field.extendee} { ${label(field, isProto2)}${declaration(field)} }`);
}

/** Descriptors store the end exclusive, and `max` as 2^29. */
function rangeEnd(end: number): string {
  return end === 536_870_912 ? "max" : String(end - 1);
}
