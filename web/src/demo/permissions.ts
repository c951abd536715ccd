import { getOption } from "@bufbuild/protobuf";
import { access } from "#gen/certctl/v1/options_pb.ts";
import { services } from "#gen/contract.ts";

/** Every permission of the contract: in the demo one may do everything. */
export const permissions: readonly string[] = [
  ...new Set(
    services
      .flatMap(({ methods }) => methods)
      .map((method) => getOption(method, access).who)
      .flatMap((who) => (who.case === "permission" ? [who.value] : [])),
  ),
];
