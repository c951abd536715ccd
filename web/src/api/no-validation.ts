import { create, toBinary } from "@bufbuild/protobuf";
import { fileDesc } from "@bufbuild/protobuf/codegenv2";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/**
 * Stands in for the descriptor of protovalidate's rules, which the contract's files import. The browser applies none: the
 * control plane judges, and a page need not carry the rules' 25 kB.
 */
const name = "buf/validate/validate.proto";
export const file_buf_validate_validate = fileDesc(
  base64Encode(
    toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, { name, syntax: "proto3" })),
    "std_raw",
  ),
);
